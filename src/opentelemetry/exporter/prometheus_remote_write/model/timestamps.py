"""Timestamps of Remote Write."""

from __future__ import annotations

from ..errors import Untranslatable

NANOSECONDS_PER_MILLISECOND = 1_000_000
LATEST = (1 << 42) - 1
"""The latest time that is sent, in milliseconds: in May 2109. It fits into a varint of six bytes."""


def milliseconds(nanoseconds: int) -> int:
    """Return a time in milliseconds since the epoch, truncated.

    Args:
        nanoseconds: Since the epoch.

    Raises:
        Untranslatable: It is not a whole number, or out of range.
    """
    if not isinstance(nanoseconds, int) or not 0 <= nanoseconds <= LATEST * NANOSECONDS_PER_MILLISECOND:
        raise Untranslatable("timestamp", f"time {nanoseconds!r} is not in nanoseconds since 1970")
    return nanoseconds // NANOSECONDS_PER_MILLISECOND
