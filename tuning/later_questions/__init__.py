"""Takes conversations in, gives span embedders' weights for later messages out.

Knows nothing of intents, routes or wording.
"""
