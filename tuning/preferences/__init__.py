"""Takes a fine-tuned adapter in, gives one that prefers the rows' answers to its own slips.

Knows nothing of serving.
"""
