"""What is known about the data points of a metric from one export to the next."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import NamedTuple

from ..model.family import Stream
from ..system.time_slice import TimeSlice


class KnownPoints(NamedTuple):
    """What is known about data points: four lists in the same order, which grow and shrink together."""

    attributes: list[object]  # kept alive, so that no other object can have its id
    copies: list[object]
    starts: list[int | None]
    streams: list[Stream]

    def add(self, attributes: object, copy: object, start: int | None, stream: Stream) -> None:
        """Add what is known about a point."""
        self.attributes.append(attributes)
        self.copies.append(copy)
        self.starts.append(start)
        self.streams.append(stream)

    def add_from(self, other: KnownPoints, places: slice) -> None:
        """Add what another object knows about some points."""
        attributes, copies, starts, streams = other
        self.attributes.extend(attributes[places])
        self.copies.extend(copies[places])
        self.starts.extend(starts[places])
        self.streams.extend(streams[places])

    def only(self, stays: Sequence[bool], time_slice: TimeSlice) -> KnownPoints:
        """Return what is known about the points that stay."""
        left = KnownPoints([], [], [], [])
        for *columns, they_stay in time_slice.blocks(*self, stays):
            left.add_from(KnownPoints(*(list(compress(column, they_stay)) for column in columns)), slice(None))
        return left
