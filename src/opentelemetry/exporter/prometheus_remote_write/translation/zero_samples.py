"""Which streams begin with an export, and when they were zero.

A receiver that finds a new series at 42 cannot know that it counted from 0 to 42: ``increase()`` and ``rate()`` see
only what comes later. So a new counter or histogram is preceded by a sample of 0 at its start time, its zero
sample. A stream that was sent before, or that has counted for longer, gets none: it would be made up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..model.family import Family, Stream
from ..model.remote_write import Labels
from ..model.timestamps import milliseconds
from ..system.time_slice import TimeSlice

_RECENT = 30 * 60 * 1000  # milliseconds; Prometheus refuses samples an hour older than its newest


class ZeroSamples:
    """Decides on zero samples, from export to export.

    Args:
        began: When the exporter began, in nanoseconds since the epoch. Streams older than that may have been sent.
        time_slice: Yields the GIL between pieces of work.
    """

    def __init__(self, began: int, time_slice: TimeSlice | None = None) -> None:
        self._began = began
        self._time_slice = time_slice or TimeSlice()
        self._newest = 0  # of the previous exports
        self._latest = 0  # including this one
        self._given: list[tuple[str, Sequence[Stream], dict[int, int]]] = []
        self._lost: dict[tuple[str, Labels], int] = {}

    def end_export(self, *, lost: bool = False) -> None:
        """End an export; later calls belong to the next one.

        Args:
            lost: Whether all of it was lost, so that its zero samples have to be sent with the next.
        """
        oldest = self._latest - _RECENT
        self._lost = {
            (family, streams[position].labels): at
            for family, streams, zero_samples in (self._given if lost else ())
            for position, at in self._time_slice.between(zero_samples.items())
            if at >= oldest
        }
        self._time_slice.discard(*[zero_samples for _, _, zero_samples in self._given])
        self._given = []
        self._newest = self._latest
        self._time_slice.end()

    def note(self, time: int) -> None:
        """Note the time of a sample of this export, in milliseconds."""
        self._latest = max(self._latest, time)

    def zero_sample(self, point: Any) -> int | None:
        """Return the time of a stream's zero sample, in milliseconds; None if it has none.

        Args:
            point: The first data point of the stream. It must have started after everything that was exported before,
                and before its own time; if both are the same millisecond, the zero sample is put one before.

        Raises:
            Untranslatable: One of the point's times is invalid.
        """
        start, time = point.start_time_unix_nano or 0, milliseconds(point.time_unix_nano)
        if not self._began <= start < point.time_unix_nano:
            return None
        return self.zero_sample_before(time, milliseconds(start))

    def zero_sample_before(self, time: int, start: int) -> int | None:
        """Return the time of a zero sample before the first sample of a stream; None if it has none.

        Args:
            time: Of the first sample, in milliseconds since the epoch.
            start: Since when its values count, in milliseconds since the epoch.
        """
        at = min(start, time - 1)
        return at if at > self._newest and time - at <= _RECENT and start >= self._began // 1_000_000 else None

    def zero_samples(self, family: Family, streams: Sequence[Stream], new: Mapping[Stream, int]) -> dict[int, int]:
        """Return the zero samples to send now, by the position of their stream.

        Args:
            family: The family of the streams.
            streams: All streams of this export.
            new: The zero samples of new streams.
        """
        if not new and not self._lost:
            return {}
        name = family.metadata.family
        found: dict[int, int] = {}
        from_the_end = reversed(range(len(streams)))  # where new streams mostly are
        for position in self._time_slice.between(from_the_end):
            if len(found) == len(new):
                break
            if (at := new.get(streams[position])) is not None:
                found[position] = at
        if self._lost:
            lost = [self._lost.get((name, stream.labels)) for stream in self._time_slice.between(streams)]
            found = {position: at for position, at in enumerate(self._time_slice.between(lost)) if at} | found
        if found:
            self._given.append((name, streams, found))
        return found
