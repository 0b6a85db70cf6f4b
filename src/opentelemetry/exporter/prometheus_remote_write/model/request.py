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
        points: How many data points of the application it contains.
    """

    body: bytes
    protocol: str
    samples: int
    histograms: int
    exemplars: int
    batch: int = -1
    points: int = 0

    @property
    def size(self) -> int:
        """How many samples and histograms it holds."""
        return self.samples + self.histograms

    def points_of(self, samples: int) -> int:
        """Return how many data points some of the samples stand for: in proportion, rounded up."""
        return -(-self.points * samples // self.size) if self.size else 0
