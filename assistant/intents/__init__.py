"""Takes a message in, gives its intent, language, sentiment and out-of-scope score out.

Knows no passages and decides nothing.
"""
