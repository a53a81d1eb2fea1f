"""Takes an empty or an older database in, gives the tables of ``tables.py`` out, through Alembic.

Knows nothing of what the tables are for.
"""
