"""Takes a message and its conversation in, gives a reply with its citations out.

May use ``knowledge``; knows nothing of how models are trained or measured.
"""
