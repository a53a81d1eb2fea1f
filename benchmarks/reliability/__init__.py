"""Takes a database in, gives what was lost, doubled or mixed up when things went wrong, out.

Knows nothing of HTTP: it talks to the desk as the server does.
"""
