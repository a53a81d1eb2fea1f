"""Takes a message and the conversation in, gives the question, without personal data, out.

Knows no intents, articles or replies.
"""
