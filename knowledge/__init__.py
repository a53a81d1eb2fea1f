"""Takes documents and a query in, gives articles, passages and calibrated hits out.

Knows nothing of chat: no message, intent, reply or customer.
"""
