"""A request that keeps its series: the same streams travel together in every export, so most of it is encoded once.

What changes of a series from export to export is the sample's value and timestamp. So what is kept of a series is its
*prefix*, the bytes that come before a value; its *suffix*, the bytes after it, holds the timestamp. A request is
prefix, value, suffix, prefix, value, suffix and so on, joined; kept is the list of these pieces, with nothing for
values and suffixes.

Three invariants hold it together. Zero samples are put in before exemplars, because an exemplar lengthens a prefix that
must not be replaced afterwards. A prefix with a zero sample has as many pieces as one without. :meth:`Batch.encode` has
to be exhausted before the batch is used again.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from ..model.family import Family, FamilySamples, Stream
from ..model.list_diff import ListDiff, list_diff
from ..model.remote_write import NativeHistogram
from ..system.time_slice import TimeSlice
from .series_encoder import SeriesEncoder
from .series_prefix import (
    TIMESTAMP,
    FamilyConstants,
    family_constants,
    fields_of_native,
    prefixes,
)
from .wire import timestamp, varint

_PIECES_OF_A_CHUNK = 800  # some 60 KiB of 1.0, which is what snappy takes at a time: more was measured to be slower
_SERIES_AT_ONCE = 2000  # of a family: a fifth of a millisecond, and as many as a request has by default
# The ratio of streams ever encoded to streams left, above which everything is encoded again. While streams come and go,
# the lower one alone costs 16 to 22 % more CPU (a tenth of the streams replaced in each export); afterwards, the higher
# one alone would leave the strings of gone streams in every request.
_ENCODED_FOR_EACH_LEFT = 4.0
_ENCODED_FOR_EACH_LEFT_SETTLED = 1.5


class _Held(NamedTuple):
    """What is kept of a family: for floats the pieces, empty where values and suffixes go; otherwise the fields."""

    streams: Sequence[Stream]
    constants: FamilyConstants
    pieces: list[bytes]


class _FamilyPart(NamedTuple):
    """A family's part of a request: its samples, what is kept of it, and its exemplars by position."""

    samples: FamilySamples
    held: _Held
    exemplars: Mapping[int, bytes]


class Batch:
    """Encodes the streams that travel in one request, export after export.

    Args:
        new_encoder: Creates an encoder of the protocol version for this batch alone, because it may keep the request's
            strings.
        time_slice: Yields the GIL between pieces of work.
    """

    def __init__(self, new_encoder: Callable[[], SeriesEncoder], time_slice: TimeSlice | None = None) -> None:
        self._new_encoder = new_encoder
        self._time_slice = time_slice or TimeSlice()
        self._encoder = new_encoder()
        self._held: dict[Family, _Held] = {}
        self._streams = 0
        self._encoded_streams = 0  # by this encoder
        self._settled = False

    def hold(self, family: Family, streams: Sequence[Stream], diff: ListDiff | None = None) -> None:
        """Encode and keep the constant part of streams, until other streams of their family are held.

        Args:
            family: The family.
            streams: All of its streams in this batch. Only those that were not held before are encoded.
            diff: Where they were among the streams held before, if it compares these very lists.
        """
        before = self._held.pop(family, None)
        if before is not None and before.streams == streams:
            self._held[family] = before._replace(streams=streams)
            return
        if before:
            self._time_slice.discard(before.pieces)
        self._streams += len(streams) - (len(before.streams) if before else 0)
        if streams:
            self._held[family] = self._encoded(family, streams, before, diff)
        self._settled = False

    def renew_if_stale(self) -> None:
        """Encode everything again if too much of the request belongs to streams that are gone; once per export."""
        most = _ENCODED_FOR_EACH_LEFT_SETTLED if self._settled else _ENCODED_FOR_EACH_LEFT
        self._settled = True
        if self._encoder.accumulates and self._encoded_streams > most * self._streams:
            self._encoder = self._new_encoder()
            self._encoded_streams = 0
            self._held = {family: self._encoded(family, held.streams, None) for family, held in self._held.items()}

    def encode(self, all_samples: Sequence[FamilySamples]) -> Iterator[bytes]:
        """Encode one export of the batch's streams.

        Args:
            all_samples: What they send, one item per family. Streams that are not held are encoded for this once.

        Yields:
            The request's message, in chunks that compress well; it is never in memory as a whole.
        """
        # Everything that is kept comes first in the string table; exemplars refer to what follows it.
        between = self._time_slice.between
        kept = [self._kept(samples) for samples in between(all_samples)]
        parts = [self._part(samples, held) for samples, held in between(zip(all_samples, kept, strict=True))]
        # First, because some receivers look up the strings of a series while they read it.
        pieces = [self._encoder.request_fields()]
        for part in between(parts):
            for run in _runs(part, self._time_slice):
                pieces += self._native(part, run) if part.samples.family.native else self._floats(part, run)
                while len(pieces) > _PIECES_OF_A_CHUNK:
                    yield b"".join(pieces[:_PIECES_OF_A_CHUNK])
                    del pieces[:_PIECES_OF_A_CHUNK]
        yield b"".join(pieces)
        self._time_slice.discard(parts, kept)

    def _kept(self, samples: FamilySamples) -> _Held:
        """Return what is kept of the streams, or encode them for this once."""
        held = self._held.get(samples.family)
        if held is None or held.streams is not samples.streams:
            return self._encoded(samples.family, samples.streams, held)
        return held

    def _part(self, samples: FamilySamples, held: _Held) -> _FamilyPart:
        exemplars = {
            position: self._encoder.exemplars(several)
            for position, several in self._time_slice.between(samples.exemplars.items())
        }
        return _FamilyPart(samples, held, exemplars)

    def _encoded(
        self, family: Family, streams: Sequence[Stream], before: _Held | None, diff: ListDiff | None = None
    ) -> _Held:
        """Encode streams, or reuse what was held before."""
        constants = before.constants if before else family_constants(self._encoder, family)
        step = 1 if family.native else constants.step * len(family.names)
        blocks = list_diff(before.streams if before else (), streams, diff, self._time_slice).blocks
        pieces: list[bytes] = []
        for here, there in self._time_slice.between(blocks):
            if there is None:
                self._encoded_streams += here.stop - here.start
            if before is not None and there is not None:
                pieces += before.pieces[there.start * step : there.stop * step]
            elif family.native:
                for stream in self._time_slice.between(streams[here]):
                    pieces.append(fields_of_native(self._encoder, constants, stream))
            else:
                for stream in self._time_slice.between(streams[here]):
                    pieces += prefixes(self._encoder, constants, stream)
        return _Held(streams, constants, pieces)

    def _floats(self, part: _FamilyPart, run: range) -> list[bytes]:
        samples, held, exemplars = part
        step, series = held.constants.step, len(held.constants.series)
        of_run = range(run.start * series, run.stop * series)
        pieces = held.pieces[of_run.start * step : of_run.stop * step]
        suffixes = _suffixes(samples, run)
        if samples.zero_samples:
            for position in self._time_slice.between(_within(run, samples.zero_samples)):
                stream, at = samples.streams[position], samples.zero_samples[position]
                start = (position - run.start) * series * step
                pieces[start : start + series * step] = prefixes(self._encoder, held.constants, stream, at)
        if exemplars:
            for position in self._time_slice.between(_within(of_run, exemplars)):
                place, fields = position - of_run.start, exemplars[position]
                pieces[place * step] = _lengthened(pieces[place * step], len(fields))
                suffixes[place] += fields
        pieces[step - 2 :: step] = _doubles(samples.values[of_run.start : of_run.stop])
        pieces[step - 1 :: step] = suffixes
        return pieces

    def _native(self, part: _FamilyPart, run: range) -> list[bytes]:
        samples, held, exemplars = part
        pieces: list[bytes] = []
        for position in self._time_slice.between(run):
            fields, stream, histogram = held.pieces[position], samples.streams[position], samples.histograms[position]
            time = samples.timestamps if isinstance(samples.timestamps, int) else samples.timestamps[position]
            histogram_field = self._encoder.histogram(histogram, stream.start, time)
            if at := samples.zero_samples.get(position):
                zero_sample = self._encoder.histogram(_empty(histogram), min(stream.start, at), at)
                histogram_field = zero_sample + histogram_field
            its_own = exemplars.get(position, b"")
            length = len(fields) + len(histogram_field) + len(its_own)
            pieces += (self._encoder.series_tag, varint(length), fields, histogram_field, its_own)
        return pieces


def _runs(part: _FamilyPart, time_slice: TimeSlice) -> Iterable[range]:
    """Return the positions of the streams, in runs that are a moment's work, with a check before each."""
    whole = range(len(part.samples.streams))
    together = max(_SERIES_AT_ONCE // len(part.samples.family.names), 1)
    if len(whole) <= together:
        return (whole,)
    return time_slice.between([whole[start : start + together] for start in whole[::together]])


def _within(run: range, found: Mapping[int, object]) -> list[int]:
    """Return those positions of a run for which something was found."""
    if len(found) < len(run):
        return [position for position in found if position in run]
    return [position for position in run if position in found]


def _suffixes(samples: FamilySamples, run: range) -> list[bytes]:
    if isinstance(samples.timestamps, int):
        return [TIMESTAMP + timestamp(samples.timestamps)] * (len(run) * len(samples.family.names))
    suffixes = [TIMESTAMP + timestamp(time) for time in samples.timestamps[run.start : run.stop]]
    return [suffix for suffix in suffixes for _ in samples.family.names]


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


def _lengthened(prefix: bytes, more: int) -> bytes:
    """Lengthen a prefix's series by some bytes after its suffix: its length is the varint after the tag."""
    end = 2
    while prefix[end - 1] & 0x80:
        end += 1
    length = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(prefix[1:end]))
    return prefix[:1] + varint(length + more) + prefix[end:]


def _doubles(values: array[float]) -> list[bytes]:
    """Return the bytes of each value, as they are sent."""
    if sys.byteorder == "big":
        values = array("d", values)
        values.byteswap()
    written = values.tobytes()
    found: list[bytes] = []
    while len(found) < len(values):
        several = 1 << (len(values) - len(found)).bit_length() - 1
        found += _several_doubles(several).unpack_from(written, len(found) * values.itemsize)
    return found


@lru_cache  # powers of two, so there are few
def _several_doubles(number: int) -> struct.Struct:
    return struct.Struct("8s" * number)
