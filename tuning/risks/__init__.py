"""Takes messages of known risk in, gives the weights of ``assistant.intents.risks`` out.

Knows nothing of articles, routes or wording.
"""
