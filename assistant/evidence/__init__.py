"""Takes a question and its hits in, gives the sentences that answer out, and how likely any does.

Knows nothing of intents, strategies or how an answer is worded.
"""
