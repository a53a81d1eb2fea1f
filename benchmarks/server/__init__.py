"""Takes the command of a server in, gives the running server, its clients and real questions, out.

Knows nothing of what a benchmark measures. All of it stays on loopback.
"""
