"""Takes a model's name in, gives an embedder or verified weights out, ready to load.

Knows nothing of articles or queries.
"""
