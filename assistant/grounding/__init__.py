"""Takes a sentence and the hits in, gives the span that supports it out, or None.

Knows nothing of who wrote the sentence.
"""
