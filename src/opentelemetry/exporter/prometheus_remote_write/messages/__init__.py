"""What may be said and shown: text, secrets and what hides them, and the log."""
