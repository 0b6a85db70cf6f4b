"""Real servers for the tests and the demo: Debian's own builds, beside the system, on loopback."""
