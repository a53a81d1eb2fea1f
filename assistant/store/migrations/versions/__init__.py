"""Takes one form of the tables in, gives the next one out; a file for each step.

Knows nothing of the code that uses them: a step never changes once it was released.
"""
