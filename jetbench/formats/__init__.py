"""Text in, values out, and back. Never opens a file."""
