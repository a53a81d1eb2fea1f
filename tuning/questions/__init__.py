"""Takes messages that are marked by what they ask in, gives the weights that tell it out.

Knows nothing of articles.
"""
