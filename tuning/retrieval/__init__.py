"""Takes questions with their right articles in, gives the weights that fuse scores out.

Knows nothing of replies.
"""
