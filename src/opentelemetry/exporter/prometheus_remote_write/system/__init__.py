"""The interpreter's and the system's own things, handled with care: threads, waiting, descriptors."""
