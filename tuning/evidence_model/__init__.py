"""Takes questions with candidate passages in, gives a network that scores sentences out.

Knows nothing of intents, routes or wording.
"""
