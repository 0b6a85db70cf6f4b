"""Which streams travel together.

A stream is given a place in a batch when it is first seen and keeps it, so that a batch hardly changes from export to
export, and the samples of a series are always in the same request, where their order is certain.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, count
from typing import NamedTuple

from opentelemetry.exporter.prometheus_remote_write.encoding.batch import Batch
from opentelemetry.exporter.prometheus_remote_write.encoding.series_encoder import SeriesEncoder
from opentelemetry.exporter.prometheus_remote_write.encoding.stale_markers import carried_on, ended, marked
from opentelemetry.exporter.prometheus_remote_write.series import Family, Frame, Stream
from opentelemetry.exporter.prometheus_remote_write.timestamps import LATEST

_MAX_LABEL_BYTES = 4 * 1024 * 1024  # of one request, before compression; receivers refuse more than 32 MiB


class Load(NamedTuple):
    """What one request carries.

    Args:
        pieces: The encoded message, in pieces that are to be joined.
        samples: How many float samples.
        histograms: How many native histograms.
        exemplars: How many exemplars.
        batch: The number of the batch.
    """

    pieces: list[bytes]
    samples: int
    histograms: int
    exemplars: int
    batch: int


class _Part(NamedTuple):
    """Those streams of a family that travel in one batch. Positions are None where they are all of them."""

    batch: _Room
    streams: Sequence[Stream]
    positions: Sequence[int] | None


class _Placement(NamedTuple):
    streams: Sequence[Stream]
    parts: list[_Part]


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
        self.label_bytes = 0


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
            for part in self._parts(frame.family, frame.streams):
                loads.setdefault(part.batch, []).append(_part_of(frame, part))
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
            for parts in _divided(frames_of_room, self._max_samples):
                yield Load(
                    pieces=room.batch.encode(parts),
                    samples=sum(_size(part) for part in parts if not part.family.native),
                    histograms=sum(_size(part) for part in parts if part.family.native),
                    exemplars=sum(len(exemplars) for part in parts for exemplars in part.exemplars.values()),
                    batch=room.number,
                )
        for room, family, stream, _ in self._gone:
            room.batch.forget(family, [stream])
        for room, frame in markers:
            room.batch.forget(frame.family, frame.streams)
        self._gone.clear()

    def adopt(self, others: Batches) -> None:
        """Take over the streams of others, in batches of their own, so that the end of none is missed."""
        for family, placement in others._placements.items():
            self._parts(family, placement.streams)
        self._newest.update(others._newest)

    def _parts(self, family: Family, streams: Sequence[Stream]) -> list[_Part]:
        before = self._placements.get(family, _Placement((), []))
        if before.streams is streams:
            return before.parts
        places = {stream: part.batch for part in before.parts for stream in part.streams}
        gone = places.keys() - set(streams)
        for stream in gone:
            self._leave(places.pop(stream), family, stream)
        positions: dict[_Room, list[int]] = {}
        for position, stream in enumerate(streams):
            room = places.get(stream) or self._enter(family, stream)
            positions.setdefault(room, []).append(position)
        if len(positions) == 1:
            parts = [_Part(room, streams, None) for room in positions]
        else:
            parts = [_Part(room, [streams[at] for at in chosen], chosen) for room, chosen in positions.items()]
        self._placements[family] = _Placement(streams, parts)
        return parts

    def _enter(self, family: Family, stream: Stream) -> _Room:
        rooms = self._open[family.native]
        samples, label_bytes = len(family.names), _label_bytes(family, stream)
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
        return room

    def _leave(self, room: _Room, family: Family, stream: Stream) -> None:
        if self._stale_markers:
            self._gone.append(_Gone(room, family, stream, self._newest[family]))
        else:
            room.batch.forget(family, [stream])
        room.samples -= len(family.names)
        room.label_bytes -= _label_bytes(family, stream)
        if room.samples:
            self._open[family.native][room] = None
        else:  # with all that it keeps
            self._open[family.native].pop(room, None)

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


def _label_bytes(family: Family, stream: Stream) -> int:
    """How many bytes the labels of a stream take, once for each of its series: in 1.0, the larger of the protocols."""
    return len(family.names) * sum(map(len, map(str.encode, chain.from_iterable(stream.labels))))


def _part_of(frame: Frame, part: _Part) -> Frame:
    """The part of a frame that travels in one batch."""
    return frame if part.positions is None else _cut(frame, part.positions, part.streams)


def _divided(frames: Sequence[Frame], max_samples: int) -> Iterator[Sequence[Frame]]:
    """Divide what a batch sends where seeds or markers make it more than a request may hold."""
    middle = len(frames) // 2
    if sum(map(_size, frames)) <= max_samples:
        yield frames
    elif middle:
        yield from _divided(frames[:middle], max_samples)
        yield from _divided(frames[middle:], max_samples)
    elif (middle := len(frames[0].streams) // 2) == 0:
        yield frames
    else:
        (frame,) = frames
        for positions in (range(middle), range(middle, len(frame.streams))):
            half = _cut(frame, positions, [frame.streams[position] for position in positions])
            yield from _divided([half], max_samples)


def _size(frame: Frame) -> int:
    """How many samples or histograms a frame sends."""
    return (len(frame.streams) + len(frame.seeds)) * len(frame.family.names)


def _cut(frame: Frame, positions: Sequence[int], streams: Sequence[Stream]) -> Frame:
    """A frame with some of its streams, by their positions."""
    size = len(frame.family.names)
    values = array("d")
    exemplars = {}
    for place, position in enumerate(positions):
        values += frame.values[position * size : (position + 1) * size]
        if frame.exemplars:
            for series in range(size):
                if position * size + series in frame.exemplars:
                    exemplars[place * size + series] = frame.exemplars[position * size + series]
    histograms = [frame.histograms[position] for position in positions] if frame.histograms else ()
    timestamps = frame.timestamps
    if not isinstance(timestamps, int):
        timestamps = [timestamps[position] for position in positions]
    seeds = {place: frame.seeds[at] for place, at in enumerate(positions) if at in frame.seeds} if frame.seeds else {}
    return Frame(frame.family, streams, timestamps, values, histograms, exemplars, seeds)
