"""Takes settings in, gives checks out: what is there, what is missing, and what to do about it.

Changes nothing on the machine, never tells a secret, and knows nothing of how checks are printed.
"""
