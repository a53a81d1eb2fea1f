"""Takes question sets, dialogues and strategies in, gives tables, pages and choices out.

Trains nothing.
"""
