"""The pages that people see, in Gradio."""
