"""Takes a frame in, gives one part of the page Settings out; a file for each part.

A part knows no other part: it leads to one by its address.
"""
