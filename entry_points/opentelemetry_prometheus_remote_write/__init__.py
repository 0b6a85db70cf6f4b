"""The plug: one module per entry-point group, and the command `otel-prw`."""
