"""Takes invented customers' messages in, gives what of their personal data is kept, out.

Knows nothing of how personal data is masked: it only looks where a server could have left it.
"""
