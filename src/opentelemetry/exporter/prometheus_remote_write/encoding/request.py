"""What encoding hands to delivery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Request(NamedTuple):
    """An encoded request.

    Args:
        body: The message, compressed.
        headers: Those that say what the body is.
        samples: How many float samples it holds.
        histograms: How many native histograms.
        exemplars: How many exemplars.
    """

    body: bytes
    headers: Mapping[str, str]
    samples: int
    histograms: int
    exemplars: int
