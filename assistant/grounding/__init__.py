"""Takes a sentence and the hits in, gives the span that supports the sentence, or None, out.

Does not know who wrote the sentence.
"""
