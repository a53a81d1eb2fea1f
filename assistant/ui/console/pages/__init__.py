"""Takes a frame in, gives one page of the console out; a file for each page.

A page knows no other page: it leads to one by its address.
"""
