"""Flags to values, errors to exit codes. The only room that prints."""
