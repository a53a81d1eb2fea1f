"""Takes help centres and their customers' questions in, gives prompt-completion rows out.

Knows nothing of the model that is trained on them.
"""
