"""Takes one document of any kind in, gives its text as Markdown or the reason why not.

Knows nothing of articles, folders or indexes.
"""
