"""Takes what is typed on the page in, gives the conversation as Gradio shows it out.

Computes nothing that the assistant does not.
"""
