"""What may be logged and shown: text, secrets and their redaction, and the logger."""
