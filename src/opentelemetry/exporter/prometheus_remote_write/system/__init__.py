"""Safe use of the interpreter's and the system's primitives: threads, waiting, descriptors."""
