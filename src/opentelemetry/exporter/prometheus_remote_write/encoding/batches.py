"""Which streams travel together.

A stream is given a place in a batch when it is first seen and keeps it, so that a batch hardly changes from export to
export, and the samples of a series are always in the same request, where their order is certain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count, groupby
from typing import NamedTuple

from ..model.family import Family, Frame, Stream
from ..model.list_diff import Alignment, aligned
from ..model.timestamps import LATEST
from .batch import Batch
from .division import chosen, cut, divided, size
from .series_encoder import SeriesEncoder
from .stale_markers import carried_on, ended, marked

_MAX_LABEL_BYTES = 4 * 1024 * 1024  # of one request, before compression; receivers refuse more than 32 MiB


class Load(NamedTuple):
    """What one request carries.

    Args:
        pieces: The encoded message, in pieces that are to be joined before the next load is asked for.
        samples: How many float samples.
        histograms: How many native histograms.
        exemplars: How many exemplars.
        batch: The number of the batch.
    """

    pieces: Iterator[bytes]
    samples: int
    histograms: int
    exemplars: int
    batch: int


class _Part(NamedTuple):
    """Those streams of a family that travel in one batch, and where they are among all of them."""

    room: _Room
    streams: Sequence[Stream]
    runs: Sequence[range]


class _Placement(NamedTuple):
    """The streams of a family, the room of each, and the same by rooms."""

    streams: Sequence[Stream]
    rooms: list[_Room]
    parts: list[_Part]


_NOWHERE = _Placement((), [], [])


class _Gone(NamedTuple):
    """A stream that is sent no more, where it travelled, and when its last sample was."""

    room: _Room
    family: Family
    stream: Stream
    newest: int


class _Room:
    """A batch, how many samples it carries, and how many bytes of labels."""

    def __init__(self, number: int, batch: Batch) -> None:
        self.number = number
        self.batch = batch
        self.samples = 0
        self.label_bytes = 0  # once for each series, as in 1.0, where they take the most


class Batches:
    """Encodes exports as requests of a bounded size.

    Args:
        new_encoder: Makes the encoder of a batch.
        max_samples: In one request, but for a stream that has more by itself.
        stale_markers: Whether a series that ends is marked as stale.
    """

    def __init__(
        self, new_encoder: Callable[[], SeriesEncoder], max_samples: int, *, stale_markers: bool = False
    ) -> None:
        self._new_encoder = new_encoder
        self._max_samples = max_samples
        self._placements: dict[Family, _Placement] = {}
        self._numbers = count()
        self._stale_markers = stale_markers
        self._gone: list[_Gone] = []
        self._newest: dict[Family, int] = {}
        # Native histograms travel apart: a receiver that takes none refuses the whole request that holds one.
        self._open: dict[bool, dict[_Room, None]] = {False: {}, True: {}}

    def encode(self, frames: Iterable[Frame], at: int = 0) -> Iterator[Load]:
        """Encode one export.

        Args:
            frames: At most one for each family. What is not among them is forgotten.
            at: When that ended, in milliseconds since the epoch, if no frame has a later time.

        Yields:
            A load for each request.
        """
        loads: dict[_Room, list[Frame]] = {}
        families: set[Family] = set()
        for frame in frames:
            families.add(frame.family)
            for part in self._parts(frame.family, frame.streams, frame.alignment):
                loads.setdefault(part.room, []).append(_part_of(frame, part))
            if self._stale_markers:
                newest = frame.timestamps if isinstance(frame.timestamps, int) else max(frame.timestamps)
                self._newest[frame.family] = newest
                at = max(at, newest)
        for family in self._placements.keys() - families:
            self._parts(family, ())
            del self._placements[family]
            self._newest.pop(family, None)
        markers = list(self._markers(at))
        for room, frame in markers:
            loads.setdefault(room, []).append(frame)
        for room, frames_of_room in loads.items():
            room.batch.renew_if_stale()
            for parts in divided(frames_of_room, self._max_samples):
                yield Load(
                    pieces=room.batch.encode(parts),
                    samples=sum(size(part) for part in parts if not part.family.native),
                    histograms=sum(size(part) for part in parts if part.family.native),
                    exemplars=sum(len(exemplars) for part in parts for exemplars in part.exemplars.values()),
                    batch=room.number,
                )
        self._gone.clear()

    def adopt(self, others: Batches) -> None:
        """Take over the streams of others, in batches of their own, so that the end of none is missed."""
        for family, placement in others._placements.items():
            self._parts(family, placement.streams)
        self._newest.update(others._newest)

    def _parts(self, family: Family, streams: Sequence[Stream], alignment: Alignment | None = None) -> list[_Part]:
        before = self._placements.get(family, _NOWHERE)
        if before.streams is streams:
            return before.parts
        alignment = aligned(before.streams, streams, alignment)
        for room, places in groupby(alignment.gone, before.rooms.__getitem__):
            self._leave(room, family, [before.streams[place] for place in places])
        rooms: list[_Room] = []
        for here, there in alignment.stretches:
            if there is None:
                rooms += self._enter(family, streams[here])
            else:
                rooms += before.rooms[there]
        parts = [_part(room, streams, theirs) for room, theirs in _runs(rooms).items()]
        held = {part.room: () for part in before.parts} | {part.room: part.streams for part in parts}
        for room, theirs in held.items():
            room.batch.hold(family, theirs, alignment)
        self._placements[family] = _Placement(streams, rooms, parts)
        return parts

    def _enter(self, family: Family, streams: Iterable[Stream]) -> Iterator[_Room]:
        rooms, samples = self._open[family.native], len(family.names)
        for stream in streams:
            label_bytes = samples * stream.label_bytes
            while rooms:
                room = next(reversed(rooms))
                if room.samples + samples <= self._max_samples and room.label_bytes + label_bytes <= _MAX_LABEL_BYTES:
                    break
                del rooms[room]
            else:
                room = _Room(next(self._numbers), Batch(self._new_encoder))
                rooms[room] = None
            room.samples += samples
            room.label_bytes += label_bytes
            yield room

    def _leave(self, room: _Room, family: Family, streams: Sequence[Stream]) -> None:
        if self._stale_markers:
            newest = self._newest[family]
            self._gone += [_Gone(room, family, stream, newest) for stream in streams]
        samples = len(family.names)
        room.samples -= samples * len(streams)
        room.label_bytes -= samples * sum(stream.label_bytes for stream in streams)
        rooms = self._open[family.native]
        rooms.pop(room, None)
        if room.samples:
            rooms[room] = None  # as the last, so that the next comes in here: mostly one of the same family

    def _markers(self, at: int) -> Iterator[tuple[_Room, Frame]]:
        """Mark as stale what has ended: at the time of the export, but later than its last sample."""
        if not self._gone:
            return
        places: dict[tuple[_Room, Family, int], list[Stream]] = {}
        for room, family, stream, newest in self._gone:
            time = min(max(at, newest + 1), LATEST)
            places.setdefault((room, family, time), []).append(stream)
        names = {name for _, family, _ in places for name in family.names}
        present = carried_on(names, ((family, placed.streams) for family, placed in self._placements.items()))
        for (room, family, time), streams in places.items():
            for part, theirs in ended(family, streams, present):
                yield room, marked(part, theirs, time)


def _runs(rooms: Iterable[_Room]) -> dict[_Room, list[range]]:
    """Where the positions of each room are, in stretches."""
    runs: dict[_Room, list[range]] = {}
    end = 0
    for room, together in groupby(rooms):
        start, end = end, end + len(list(together))
        runs.setdefault(room, []).append(range(start, end))
    return runs


def _part(room: _Room, streams: Sequence[Stream], runs: Sequence[range]) -> _Part:
    whole = runs[0] == range(len(streams))
    return _Part(room, streams if whole else chosen(streams, runs), runs)


def _part_of(frame: Frame, part: _Part) -> Frame:
    """The part of a frame that travels in one batch."""
    return frame if part.streams is frame.streams else cut(frame, part.runs, part.streams)
