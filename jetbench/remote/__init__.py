"""The only room with a cable: connect, probe, send, follow, stop."""
