"""Standard output and standard error where the parent process has closed them, or where they cannot be written."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def open_missing_streams() -> None:
    """Open the null device in place of a stream that is closed, for this process alone: children do not inherit it."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - for as long as we live


def discard(stream: TextIO) -> None:
    """Send what a stream still holds to the null device: Python flushes it again at exit, and that must not fail."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def complain(text: str) -> None:
    """Write to stderr; after a failure, write nothing more."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        discard(sys.stderr)
