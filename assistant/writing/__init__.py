"""Takes what was found in, gives the reply out, sentence by sentence.

Decides no route, and says nothing that ``grounding`` lets fail.
"""
