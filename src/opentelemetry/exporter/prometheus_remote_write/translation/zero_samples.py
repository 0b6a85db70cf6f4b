"""Which streams begin with an export, and when they stood at zero.

A receiver that finds a new series at 42 cannot know that it counted from 0 to 42: ``increase()`` and ``rate()`` see
only what comes later. So a new counter or histogram is preceded by a sample of 0 at its start time, its zero
sample. For a stream that was sent before, or that has counted for longer, one would be an invention; it gets none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..model.family import Family, Stream
from ..model.remote_write import Labels
from ..model.timestamps import milliseconds

_RECENT = 30 * 60 * 1000  # milliseconds; Prometheus takes nothing that is an hour older than the newest that it has


class ZeroSamples:
    """Decides on zero samples, from export to export.

    Args:
        began: When the exporter began, in nanoseconds since the epoch. What counts since before may have been sent.
    """

    def __init__(self, began: int) -> None:
        self._began = began
        self._newest = 0  # of the exports before this one
        self._latest = 0  # of this one, too
        self._given: list[tuple[str, Sequence[Stream], Mapping[int, int]]] = []
        self._lost: dict[tuple[str, Labels], int] = {}

    def end_export(self, *, lost: bool = False) -> None:
        """End an export; what comes now belongs to the next.

        Args:
            lost: Whether nothing of it was answered or is kept, so that its zero samples have to go out with the next.
        """
        oldest = self._latest - _RECENT
        self._lost = {
            (family, streams[position].labels): at
            for family, streams, zero_samples in (self._given if lost else ())
            for position, at in zero_samples.items()
            if at >= oldest
        }
        self._given = []
        self._newest = self._latest

    def note(self, time: int) -> None:
        """Note the time of a sample of this export, in milliseconds."""
        self._latest = max(self._latest, time)

    def zero_sample(self, point: Any) -> int | None:
        """Return the time of a stream's zero sample, in milliseconds; None where it has none.

        Args:
            point: The data point with which the stream comes for the first time. It must have started after all that
                was exported before, and before its own time; in the same millisecond the zero sample is put one before.

        Raises:
            Untranslatable: One of the point's times is none.
        """
        start, time = point.start_time_unix_nano or 0, milliseconds(point.time_unix_nano)
        if not self._began <= start < point.time_unix_nano:
            return None
        return self.zero_sample_before(time, milliseconds(start))

    def zero_sample_before(self, time: int, start: int) -> int | None:
        """Return the time of a zero sample before the first sample of a stream; None where it has none.

        Args:
            time: Of the first sample, in milliseconds since the epoch.
            start: Since when its values count, in milliseconds since the epoch.
        """
        at = min(start, time - 1)
        return at if at > self._newest and time - at <= _RECENT and start >= self._began // 1_000_000 else None

    def zero_samples(self, family: Family, streams: Sequence[Stream], new: Mapping[Stream, int]) -> dict[int, int]:
        """Return the zero samples that go out now, by the position of their stream.

        Args:
            family: The family of the streams.
            streams: All that are sent in this export.
            new: The zero samples of those that are new.
        """
        if not new and not self._lost:
            return {}
        name = family.metadata.family
        found: dict[int, int] = {}
        for position in reversed(range(len(streams))):  # from the end, where what is new mostly is
            if len(found) == len(new):
                break
            if (at := new.get(streams[position])) is not None:
                found[position] = at
        if self._lost:
            lost = [self._lost.get((name, stream.labels)) for stream in streams]
            found = {position: at for position, at in enumerate(lost) if at} | found
        if found:
            self._given.append((name, streams, found))
        return found
