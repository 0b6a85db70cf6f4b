"""Which streams travel together.

A stream is given a place in a batch when it is first seen and keeps it, so that a batch hardly changes from export to
export, and the samples of a series are always in the same request, where their order is certain.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import NamedTuple

from opentelemetry.exporter.prometheus_remote_write.encoding.batch import Batch
from opentelemetry.exporter.prometheus_remote_write.encoding.series_encoder import SeriesEncoder
from opentelemetry.exporter.prometheus_remote_write.series import Family, Frame, Stream

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
    """

    def __init__(self, new_encoder: Callable[[], SeriesEncoder], max_samples: int) -> None:
        self._new_encoder = new_encoder
        self._max_samples = max_samples
        self._placements: dict[Family, _Placement] = {}
        self._numbers = count()
        # Native histograms travel apart: a receiver that takes none refuses the whole request that holds one.
        self._open: dict[bool, list[_Room]] = {False: [], True: []}

    def encode(self, frames: Iterable[Frame]) -> Iterator[Load]:
        """Encode one export.

        Args:
            frames: At most one for each family. What is not among them is forgotten.

        Yields:
            A load for each request.
        """
        loads: dict[_Room, list[Frame]] = {}
        families: set[Family] = set()
        for frame in frames:
            families.add(frame.family)
            for part in self._parts(frame.family, frame.streams):
                loads.setdefault(part.batch, []).append(_cut(frame, part))
        for family in self._placements.keys() - families:
            self._parts(family, ())
            del self._placements[family]
        for room, parts in loads.items():
            yield Load(
                pieces=room.batch.encode(parts),
                samples=sum(len(part.values) for part in parts),
                histograms=sum(len(part.histograms) for part in parts),
                exemplars=sum(len(exemplars) for part in parts for exemplars in part.exemplars.values()),
                batch=room.number,
            )

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
        while rooms and rooms[-1].samples:
            room = rooms[-1]
            if room.samples + samples <= self._max_samples and room.label_bytes + label_bytes <= _MAX_LABEL_BYTES:
                break
            rooms.pop()
        if not rooms:
            rooms.append(_Room(next(self._numbers), Batch(self._new_encoder)))
        rooms[-1].samples += samples
        rooms[-1].label_bytes += label_bytes
        return rooms[-1]

    def _leave(self, room: _Room, family: Family, stream: Stream) -> None:
        room.batch.forget(family, [stream])
        room.samples -= len(family.names)
        room.label_bytes -= _label_bytes(family, stream)
        if room not in self._open[family.native]:
            self._open[family.native].append(room)


def _label_bytes(family: Family, stream: Stream) -> int:
    """How many bytes the labels of a stream take, once for each of its series: in 1.0, the larger of the protocols."""
    return len(family.names) * sum(len(name.encode()) + len(text.encode()) for name, text in stream.labels)


def _cut(frame: Frame, part: _Part) -> Frame:
    """The part of a frame that travels in one batch."""
    if part.positions is None:
        return frame
    size = len(frame.family.names)
    values = array("d")
    exemplars = {}
    for place, position in enumerate(part.positions):
        values += frame.values[position * size : (position + 1) * size]
        if frame.exemplars:
            for series in range(size):
                if position * size + series in frame.exemplars:
                    exemplars[place * size + series] = frame.exemplars[position * size + series]
    histograms = [frame.histograms[position] for position in part.positions] if frame.histograms else ()
    timestamps = frame.timestamps
    if not isinstance(timestamps, int):
        timestamps = [timestamps[position] for position in part.positions]
    return Frame(frame.family, part.streams, timestamps, values, histograms, exemplars)
