"""Takes questions beside their passages in, gives the network that picks sentences out.

Knows nothing of intents, routes or wording.
"""
