"""A request that keeps its series: the same streams travel together in every export, so most of it is encoded once.

What changes of a series from export to export is the sample's value and timestamp. So a series is kept as its *head*,
the bytes that come before a value; its *tail*, the bytes after it, holds the timestamp. A request is head, value, tail,
head, value, tail and so on, joined. A head may be in pieces, which the series of a stream then share.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple

from opentelemetry.exporter.prometheus_remote_write.encoding.series_encoder import SeriesEncoder
from opentelemetry.exporter.prometheus_remote_write.encoding.wire import LENGTH_DELIMITED, tag, timestamp, varint
from opentelemetry.exporter.prometheus_remote_write.model import NativeHistogram
from opentelemetry.exporter.prometheus_remote_write.series import Family, Frame, Stream

_TIMESTAMP = b"\x10"  # the tag of a sample's second field
_ZERO = bytes(8)
_VALUE_AND_TAIL = 8 + len(_TIMESTAMP) + len(timestamp(0))  # bytes of a sample after its head


class _Kept(NamedTuple):
    streams: Sequence[Stream]
    heads: list[bytes]


class Batch:
    """Encodes the streams that travel in one request, export after export.

    Args:
        new_encoder: Makes an encoder of the version of the protocol. It is this batch's alone, for it may keep what the
            request holds.
    """

    def __init__(self, new_encoder: Callable[[], SeriesEncoder]) -> None:
        self._new_encoder = new_encoder
        self._encoder = new_encoder()
        self._series_tag = tag(self._encoder.field, LENGTH_DELIMITED)
        self._by_stream: dict[Stream, list[bytes]] = {}
        self._by_family: dict[Family, _Kept] = {}

    def encode(self, frames: Sequence[Frame]) -> list[bytes]:
        """Encode one export of the batch's streams.

        Args:
            frames: What they send, one frame for each family.

        Returns:
            The request's message, in pieces.
        """
        if self._encoder.is_stale(len(self._by_stream)):
            self._encoder = self._new_encoder()
            self._by_stream.clear()
            self._by_family.clear()
        kept = [self._kept(frame) for frame in frames]
        pieces = [b""]
        for frame, constant in zip(frames, kept, strict=True):
            pieces += self._native(frame, constant) if frame.family.native else self._floats(frame, constant)
        # First, because there are receivers that look up the strings of a series while they read it.
        pieces[0] = self._encoder.request_fields()
        return pieces

    def forget(self, family: Family, streams: Iterable[Stream]) -> None:
        """Drop what is kept of streams that travel here no more."""
        for stream in streams:
            self._by_stream.pop(stream, None)
        self._by_family.pop(family, None)

    def _floats(self, frame: Frame, heads: list[bytes]) -> list[bytes]:
        series = len(frame.streams) * len(frame.family.names)
        width = len(heads) // series  # pieces of a head
        tails = _tails(frame)
        if frame.seeds or frame.exemplars:
            heads = heads.copy()
            for position, at in frame.seeds.items():
                self._seed(heads, width, frame, position, at)
            for position, exemplars in frame.exemplars.items():
                fields = self._encoder.exemplars(exemplars)
                heads[position * width] = _lengthened(heads[position * width], len(fields))
                tails[position] += fields
        step = width + 2
        pieces = [b""] * (step * series)
        for place in range(width):
            pieces[place::step] = heads[place::width]
        pieces[width::step] = _doubles(series).unpack(_little_endian(frame.values))
        pieces[width + 1 :: step] = tails
        return pieces

    def _seed(self, heads: list[bytes], width: int, frame: Frame, position: int, at: int) -> None:
        """Put a sample of 0 before the samples of a stream's series."""
        stream = frame.streams[position]
        seed = self._encoder.sample_opening(_beginning(stream, at)) + _ZERO + _TIMESTAMP + timestamp(at)
        opening = len(self._encoder.sample_opening(stream))
        size = len(frame.family.names)
        for series in range(position * size, (position + 1) * size):
            first, last = series * width, (series + 1) * width - 1
            heads[first] = _lengthened(heads[first], len(seed))
            heads[last] = b"".join((heads[last][:-opening], seed, heads[last][-opening:]))

    def _native(self, frame: Frame, constant: list[bytes]) -> list[bytes]:
        pieces: list[bytes] = []
        times = repeat(frame.timestamps) if isinstance(frame.timestamps, int) else frame.timestamps
        series = zip(constant, frame.streams, frame.histograms, times, strict=False)  # times may be endless
        for position, (fields, stream, histogram, time) in enumerate(series):
            histogram_field = self._encoder.histogram(histogram, stream, time)
            if at := frame.seeds.get(position):
                seed = self._encoder.histogram(_empty(histogram), _beginning(stream, at), at)
                histogram_field = seed + histogram_field
            exemplars = self._encoder.exemplars(frame.exemplars.get(position, ()))
            length = len(fields) + len(histogram_field) + len(exemplars)
            pieces += (self._series_tag, varint(length), fields, histogram_field, exemplars)
        return pieces

    def _kept(self, frame: Frame) -> list[bytes]:
        """The kept bytes of a frame's series, encoding only streams that are new."""
        encode = self._fields if frame.family.native else self._heads
        kept = self._by_family.get(frame.family)
        if kept is not None and kept.streams is frame.streams:
            return kept.heads
        flat: list[bytes] = []
        for stream in frame.streams:
            heads = self._by_stream.get(stream)
            if heads is None:
                heads = self._by_stream[stream] = encode(frame.family, stream)
            flat += heads
        self._by_family[frame.family] = _Kept(frame.streams, flat)
        return flat

    def _fields(self, family: Family, stream: Stream) -> list[bytes]:
        return [b"".join(pieces) for pieces in self._encoder.constant_fields(family, stream)]

    def _heads(self, family: Family, stream: Stream) -> list[bytes]:
        opening = self._encoder.sample_opening(stream)
        rest = len(opening) + _VALUE_AND_TAIL
        heads: list[bytes] = []
        ends: dict[bytes, bytes] = {}
        for pieces in self._encoder.constant_fields(family, stream):
            start = _series_start(self._series_tag, sum(map(len, pieces)) + rest)
            if len(pieces) == 1:
                heads.append(b"".join((start, *pieces, opening)))
            else:
                *shared, last = pieces
                heads += (start, *shared, ends.get(last) or ends.setdefault(last, last + opening))
        return heads


@lru_cache(maxsize=4096)  # series of one length share it
def _series_start(series_tag: bytes, length: int) -> bytes:
    return series_tag + varint(length)


def _tails(frame: Frame) -> list[bytes]:
    if isinstance(frame.timestamps, int):
        return [_TIMESTAMP + timestamp(frame.timestamps)] * len(frame.values)
    samples = len(frame.family.names)
    return [_TIMESTAMP + timestamp(time) for time in frame.timestamps for _ in range(samples)]


def _beginning(stream: Stream, at: int) -> Stream:
    """A stream as its seed has it, whose start is never later than its time."""
    return Stream((), min(stream.start, at))


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


@lru_cache(maxsize=256)  # the sizes of families, which hardly change
def _doubles(count: int) -> struct.Struct:
    return struct.Struct("8s" * count)


def _little_endian(values: array[float]) -> bytes:
    if sys.byteorder == "big":
        values = array("d", values)
        values.byteswap()
    return values.tobytes()
