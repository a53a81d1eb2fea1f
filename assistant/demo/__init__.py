"""Takes invented messages in, gives two weeks of invented conversations in the database out.

Knows nothing of real customers: what it makes is marked, never counted with theirs, and goes again.
"""
