"""Takes a database in, gives out figures of what is kept in it, as the console and commands show.

Reads the store and knows neither a page nor a command.
"""
