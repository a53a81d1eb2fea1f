"""Takes customers' messages with the sentences that answer them in, gives span embedders out.

Knows nothing of intents, routes or wording.
"""
