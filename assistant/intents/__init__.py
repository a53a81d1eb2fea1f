"""Takes what is asked in, gives intent, language, sentiment and out-of-scope score out.

Knows nothing of passages and decides nothing.
"""
