"""The stale marker: the value that marks the end of a series, so that queries no longer find it.

It is a NaN with a certain bit pattern (Remote Write 1.0, section Stale Markers); in a native histogram it is the sum.
Arithmetic would change it, because it is a signalling NaN: so it is made from bytes, and only ever copied.
"""

from __future__ import annotations

import math
import struct

STALE_BYTES = struct.pack("=Q", 0x7FF0000000000002)
"""The marker as an array of doubles holds it on this machine."""

(STALE,) = struct.unpack("=d", STALE_BYTES)


def is_stale(value: float) -> bool:
    """Return whether a value is the stale marker.

    Args:
        value: The value of a sample, or the sum of a native histogram.
    """
    return math.isnan(value) and struct.pack("=d", value) == STALE_BYTES
