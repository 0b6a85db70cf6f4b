"""What encoding hands to delivery."""

from __future__ import annotations

from typing import NamedTuple

PROTOCOL_1 = "1.0"
PROTOCOL_2 = "2.0"


class Request(NamedTuple):
    """An encoded request.

    Args:
        body: The message, compressed.
        protocol: The version of Remote Write.
        samples: How many float samples it holds.
        histograms: How many native histograms.
        exemplars: How many exemplars.
        batch: The number of the batch whose series it holds; a series is in one batch at a time. -1 for no series.
    """

    body: bytes
    protocol: str
    samples: int
    histograms: int
    exemplars: int
    batch: int = -1

    @property
    def size(self) -> int:
        """How many samples and histograms it holds."""
        return self.samples + self.histograms
