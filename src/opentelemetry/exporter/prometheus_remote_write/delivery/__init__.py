"""Requests out: the backlog, retries, and what the log says about them."""
