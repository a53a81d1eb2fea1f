"""Takes HTTP requests in, gives replies as JSON or events, and articles as pages, out.

Has no logic of the assistant.
"""
