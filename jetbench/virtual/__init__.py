"""Boards without hardware: an SSH server and stand-ins for NVIDIA's tools."""
