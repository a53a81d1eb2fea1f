"""Serves the chat page and the HTTP interface; the file that a Hugging Face Space starts."""

import sys

from assistant.serve import main

if __name__ == "__main__":
    sys.exit(main(prog="python app.py"))
