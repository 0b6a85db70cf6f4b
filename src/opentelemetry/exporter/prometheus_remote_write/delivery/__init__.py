"""Requests out: what waits, what is tried again, what the log says of it."""
