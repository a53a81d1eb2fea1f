"""Takes a model's name in, gives an embedder or the files of weights out: found, checked, prepared.

Knows nothing of articles or queries.
"""
