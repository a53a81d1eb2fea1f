"""Takes a prompt in, gives text out, piece by piece: from a model in this process or from a server.

Knows nothing of articles, templates or grounding.
"""
