"""Takes questions with the ids of their articles in, gives retrieval's fitted weights out.

Knows nothing of replies.
"""
