"""Takes question sets, dialogues and strategies in, gives tables, a page and a choice out.

Trains nothing.
"""
