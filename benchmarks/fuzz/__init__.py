"""Takes a server's description of its HTTP interface in, gives what it does otherwise, out.

Knows nothing of what the server is for, except which ids exist.
"""
