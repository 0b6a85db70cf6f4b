"""Whether colour is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO


def wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether to write colour: the stream is a terminal and NO_COLOR is not set (https://no-color.org).

    Args:
        stream: The stream to write to.
        environ: The environment.
    """
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
