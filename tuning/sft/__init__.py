"""Takes prompt-completion rows and a base model in, gives an adapter with its model card out.

Knows nothing of how the rows are made.
"""
