"""Takes a query in, gives hits out, each with the probability that its article answers.

Knows nothing of intents, conversations or how folders are read.
"""
