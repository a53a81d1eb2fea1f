"""Takes HTTP requests in, gives replies as JSON or events and articles as pages out.

Computes nothing that the assistant does not.
"""
