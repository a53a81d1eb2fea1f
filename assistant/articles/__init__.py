"""Takes what editors write in, gives articles of the knowledge folder out, each checked first.

Knows nothing of pages or of HTTP, and never writes outside the folder of articles.
"""
