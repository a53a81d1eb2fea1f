"""Takes labelled texts in, gives the weights of a classifier and a report out.

Knows nothing of passages, replies or the routing of intents.
"""
