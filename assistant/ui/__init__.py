"""Takes messages typed on the chat page in, gives Gradio's messages out.

Has no logic of the assistant.
"""
