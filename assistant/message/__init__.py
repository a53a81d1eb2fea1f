"""Takes the typed message and the conversation in, gives what is asked, without personal data, out.

Knows nothing of intents, articles or replies.
"""
