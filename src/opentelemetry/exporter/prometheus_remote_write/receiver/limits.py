"""How much a receiver takes on, whatever comes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a receiver's memory and work beside the size of a body.

    Args:
        elements: Labels, samples, buckets and so on of one request, the costly ones counted as several: some hundred
            megabytes of memory and some seconds of work. A push of 46,000 series has about 850,000.
        connections: Open at the same time, each with a thread.
        bytes_under_way: Bodies that are being read or looked at, all together.
        remembered_series: Series whose newest timestamp is remembered, to find samples that are out of order.
    """

    elements: int = 1_500_000
    connections: int = 512
    bytes_under_way: int = 256 * 1024 * 1024
    remembered_series: int = 200_000
