"""Takes messages and replies in, gives conversations back, in SQLite or PostgreSQL.

Knows nothing of how a reply comes about; personal data is masked before anything is written.
"""
