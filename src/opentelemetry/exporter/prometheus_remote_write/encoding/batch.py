"""A request that keeps its series: the same streams travel together in every export, so most of it is encoded once.

What changes of a series from export to export is the sample's value and timestamp. So what is kept of a series is its
*head*, the bytes that come before a value; its *tail*, the bytes after it, holds the timestamp. A request is head,
value, tail, head, value, tail and so on, joined; kept is the list of these pieces, with nothing for values and tails.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple

from ..model.family import Family, Frame, Stream
from ..model.list_diff import Alignment, aligned
from ..model.remote_write import NativeHistogram
from .series_encoder import SeriesEncoder
from .series_prefix import (
    TIMESTAMP,
    FamilyConstants,
    family_constants,
    fields_of_native,
    heads,
)
from .wire import timestamp, varint

_PIECES_OF_A_CHUNK = 800  # some 60 KiB of 1.0, which is what snappy takes at a time: more was measured to be slower
# So many streams were encoded for each that is left. While they come and go, less would mean to encode most of them
# anew every few exports; afterwards every request would hold what is said of those that are gone.
_ENCODED_FOR_EACH_LEFT = 4.0
_ENCODED_FOR_EACH_LEFT_SETTLED = 1.5


class _Held(NamedTuple):
    """What is kept of a family: of floats, the request's pieces with nothing for values and tails; else the fields."""

    streams: Sequence[Stream]
    constants: FamilyConstants
    pieces: list[bytes]


class _Part(NamedTuple):
    """What a request holds of a family: the frame, what is kept of it, and its exemplars by their position."""

    frame: Frame
    held: _Held
    exemplars: Mapping[int, bytes]


class Batch:
    """Encodes the streams that travel in one request, export after export.

    Args:
        new_encoder: Makes an encoder of the version of the protocol. It is this batch's alone, for it may keep what the
            request holds.
    """

    def __init__(self, new_encoder: Callable[[], SeriesEncoder]) -> None:
        self._new_encoder = new_encoder
        self._encoder = new_encoder()
        self._held: dict[Family, _Held] = {}
        self._streams = 0
        self._encoded_streams = 0  # by this encoder
        self._settled = False

    def hold(self, family: Family, streams: Sequence[Stream], alignment: Alignment | None = None) -> None:
        """Encode what is constant of streams, and keep it until others of their family are held.

        Args:
            family: The family.
            streams: All of its streams that travel here. Only those are encoded that were not held before.
            alignment: Where they were among those that were held before, if it is about these very lists.
        """
        before = self._held.pop(family, None)
        if before is not None and before.streams == streams:
            self._held[family] = before._replace(streams=streams)
            return
        self._streams += len(streams) - (len(before.streams) if before else 0)
        if streams:
            self._held[family] = self._encoded(family, streams, before, alignment)
        self._settled = False

    def renew_if_stale(self) -> None:
        """Encode all anew where too much of what the request holds is of streams that are gone; once in each export."""
        most = _ENCODED_FOR_EACH_LEFT_SETTLED if self._settled else _ENCODED_FOR_EACH_LEFT
        self._settled = True
        if self._encoder.accumulates and self._encoded_streams > most * self._streams:
            self._encoder = self._new_encoder()
            self._encoded_streams = 0
            self._held = {family: self._encoded(family, held.streams, None) for family, held in self._held.items()}

    def encode(self, frames: Sequence[Frame]) -> Iterator[bytes]:
        """Encode one export of the batch's streams.

        Args:
            frames: What they send, each of one family. What is not held of their streams is encoded for this once.

        Yields:
            The request's message, in chunks of a size that is good to compress; it is never in memory as a whole.
        """
        # All that is kept comes first in the table of strings: the references of exemplars are to what follows it.
        kept = [self._kept(frame) for frame in frames]
        parts = [self._part(frame, held) for frame, held in zip(frames, kept, strict=True)]
        # First, because there are receivers that look up the strings of a series while they read it.
        pieces = [self._encoder.request_fields()]
        for part in parts:
            pieces += self._native(part) if part.frame.family.native else self._floats(part)
            while len(pieces) > _PIECES_OF_A_CHUNK:
                yield b"".join(pieces[:_PIECES_OF_A_CHUNK])
                del pieces[:_PIECES_OF_A_CHUNK]
        yield b"".join(pieces)

    def _kept(self, frame: Frame) -> _Held:
        """What is kept of a frame's streams, or encoded for this once."""
        held = self._held.get(frame.family)
        if held is None or held.streams is not frame.streams:
            return self._encoded(frame.family, frame.streams, held)
        return held

    def _part(self, frame: Frame, held: _Held) -> _Part:
        exemplars = {position: self._encoder.exemplars(several) for position, several in frame.exemplars.items()}
        return _Part(frame, held, exemplars)

    def _encoded(
        self, family: Family, streams: Sequence[Stream], before: _Held | None, alignment: Alignment | None = None
    ) -> _Held:
        """Encode streams, or take them from what was held before."""
        constants = before.constants if before else family_constants(self._encoder, family)
        step = 1 if family.native else constants.step * len(family.names)
        stretches = aligned(before.streams if before else (), streams, alignment).stretches
        self._encoded_streams += sum(here.stop - here.start for here, there in stretches if there is None)
        pieces: list[bytes] = []
        for here, there in stretches:
            if before is not None and there is not None:
                pieces += before.pieces[there.start * step : there.stop * step]
            elif family.native:
                pieces += [fields_of_native(self._encoder, constants, stream) for stream in streams[here]]
            else:
                for stream in streams[here]:
                    pieces += heads(self._encoder, constants, stream)
        return _Held(streams, constants, pieces)

    def _floats(self, part: _Part) -> list[bytes]:
        frame, held, exemplars = part
        step = held.constants.step
        pieces = held.pieces.copy()
        tails = _tails(frame)
        stream_step = step * len(held.constants.series)
        for position, at in frame.seeds.items():
            seeded = heads(self._encoder, held.constants, frame.streams[position], at)
            pieces[position * stream_step : (position + 1) * stream_step] = seeded
        for position, fields in exemplars.items():
            pieces[position * step] = _lengthened(pieces[position * step], len(fields))
            tails[position] += fields
        pieces[step - 2 :: step] = _doubles(frame.values)
        pieces[step - 1 :: step] = tails
        return pieces

    def _native(self, part: _Part) -> list[bytes]:
        frame, held, exemplars = part
        pieces: list[bytes] = []
        times = repeat(frame.timestamps) if isinstance(frame.timestamps, int) else frame.timestamps
        series = zip(held.pieces, frame.streams, frame.histograms, times, strict=False)  # times may be endless
        for position, (fields, stream, histogram, time) in enumerate(series):
            histogram_field = self._encoder.histogram(histogram, stream.start, time)
            if at := frame.seeds.get(position):
                seed = self._encoder.histogram(_empty(histogram), min(stream.start, at), at)
                histogram_field = seed + histogram_field
            its_own = exemplars.get(position, b"")
            length = len(fields) + len(histogram_field) + len(its_own)
            pieces += (self._encoder.series_tag, varint(length), fields, histogram_field, its_own)
        return pieces


def _tails(frame: Frame) -> list[bytes]:
    if isinstance(frame.timestamps, int):
        return [TIMESTAMP + timestamp(frame.timestamps)] * len(frame.values)
    samples = len(frame.family.names)
    tails = [TIMESTAMP + timestamp(time) for time in frame.timestamps]
    return [tail for tail in tails for _ in range(samples)]


def _empty(histogram: NativeHistogram) -> NativeHistogram:
    return histogram._replace(
        count=0,
        sum=0.0,
        zero_count=0,
        negative_spans=(),
        negative_deltas=(),
        positive_spans=(),
        positive_deltas=(),
    )


def _lengthened(head: bytes, more: int) -> bytes:
    """A head whose series goes on for some more bytes after its tail: the length is the varint after the tag."""
    end = 2
    while head[end - 1] & 0x80:
        end += 1
    length = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(head[1:end]))
    return head[:1] + varint(length + more) + head[end:]


def _doubles(values: array[float]) -> list[bytes]:
    """The bytes of each value, as they are sent."""
    if sys.byteorder == "big":
        values = array("d", values)
        values.byteswap()
    written = values.tobytes()
    found: list[bytes] = []
    while len(found) < len(values):
        several = 1 << (len(values) - len(found)).bit_length() - 1
        found += _several_doubles(several).unpack_from(written, len(found) * values.itemsize)
    return found


@lru_cache  # powers of two, of which there are not many
def _several_doubles(number: int) -> struct.Struct:
    return struct.Struct("8s" * number)
