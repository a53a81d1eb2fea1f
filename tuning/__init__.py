"""Takes articles, questions and public data in, gives trained weights and measurements out.

May use ``knowledge`` and ``assistant``. Nothing uses it: delete it and the product still runs.
"""
