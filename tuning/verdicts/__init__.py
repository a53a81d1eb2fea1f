"""Takes questions with the sentences that answer them in, gives the weights of verdicts out.

Knows nothing of retrieval: the sentences are given.
"""
