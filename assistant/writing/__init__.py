"""Takes the findings of a turn in, gives the reply out, sentence by sentence.

Decides no route and adds no generated sentence that ``grounding`` rejects.
"""
