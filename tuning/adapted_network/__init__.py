"""Takes labelled texts in, gives an adapter with linear layers out.

What the trainings of small classifiers share; knows nothing of what their labels mean.
"""
