"""Requests taken apart with protobuf, for the rare case that a receiver refuses one as a whole.

A message is read and written series by series, because protobuf does not yield the GIL.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from .. import proto
from ..model.remote_write import Labels
from ..model.request import PROTOCOL_2, Request
from ..system.time_slice import TimeSlice
from .compression import Compress, uncompressed
from .wire import delimited, fields

_SYMBOLS = 4
_CHUNK = 1 << 16  # bytes: snappy compresses as many at a time, so chunks of this size cost nothing


class Parts(NamedTuple):
    """A request as series that can be recombined.

    Args:
        request: The request.
        series: Its series, each as an encoded message of its protocol.
        symbols: The strings they refer to, in 2.0.
        time_slice: Yields the GIL between series.
    """

    request: Request
    series: Sequence[bytes]
    symbols: Sequence[str]
    time_slice: TimeSlice

    def messages(self) -> Iterator[Any]:
        """Yield the series, each as a message of its protocol."""
        return map(_series_of(self.request.protocol).FromString, self.time_slice.between(self.series))

    def labels(self) -> list[Labels]:
        """Return the labels of each series, the same in both versions of the protocol."""
        return list(map(self.labels_of, self.messages()))

    def labels_of(self, series: Any) -> Labels:
        """Return the labels of a message."""
        if self.request.protocol == PROTOCOL_2:
            return labels(series.labels_refs, self.symbols)
        return tuple((label.name, label.value) for label in series.labels)

    def only(self, chosen: Collection[int], compress: Compress) -> Request:
        """Return a request with some of the series, and in 2.0 with only their strings.

        Args:
            chosen: The positions of the series.
            compress: Compresses a message into a body.
        """
        table = {"": 0} if self.request.protocol == PROTOCOL_2 else {}
        points, series = self.request.points, len(self.series)
        # One for each series that completes a data point, so that the points of all parts add up.
        own = sum((position + 1) * points // series - position * points // series for position in chosen)
        messages = map(_series_of(self.request.protocol).FromString, (self.series[position] for position in chosen))
        request = self.request._replace(points=own)
        return encoded((self._moved(table, each) for each in messages), request, compress, self.time_slice, table)

    def _moved(self, table: dict[str, int], series: Any) -> Any:
        """Return a series that refers to another table, which gets what it lacks."""

        def moved(references: Iterable[int]) -> list[int]:
            return [table.setdefault(self.symbols[reference], len(table)) for reference in references]

        if self.request.protocol == PROTOCOL_2:
            series.labels_refs[:] = moved(series.labels_refs)
            for exemplar in series.exemplars:
                exemplar.labels_refs[:] = moved(exemplar.labels_refs)
            if series.HasField("metadata"):
                metadata = series.metadata
                metadata.help_ref, metadata.unit_ref = moved((metadata.help_ref, metadata.unit_ref))
        return series


def parts(request: Request, *, gives_way: bool = False) -> Parts:
    """Return the parts of a request.

    Args:
        request: The request.
        gives_way: Whether work on the parts yields the GIL. Not if somebody waits for its end.
    """
    time_slice = TimeSlice()
    time_slice.begin(gives_way=gives_way)
    found: dict[int, list[bytes]] = {}
    for field, content in time_slice.between(fields(uncompressed(request.body))):
        found.setdefault(field, []).append(content)
    symbols = found.get(_SYMBOLS, ()) if request.protocol == PROTOCOL_2 else ()
    series = found.get(_series_field(request.protocol), ())
    return Parts(request, series, [text.decode() for text in time_slice.between(symbols)], time_slice)


def labels(references: Iterable[int], symbols: Sequence[str]) -> Labels:
    """Return the labels that references of 2.0 stand for: alternating names and values."""
    texts = [symbols[reference] for reference in references]
    return tuple(zip(texts[::2], texts[1::2], strict=True))


def encoded(
    messages: Iterable[Any], request: Request, compress: Compress, time_slice: TimeSlice, symbols: Collection[str] = ()
) -> Request:
    """Return a request for some series.

    Args:
        messages: Of the series.
        request: In all but body and counts like the one to be made.
        compress: Compresses a message into a body.
        time_slice: Yields the GIL between series.
        symbols: The strings they refer to, in 2.0; complete once the messages are.
    """
    field = _series_field(request.protocol)
    samples = histograms = exemplars = 0
    contents: list[bytes] = []
    for series in time_slice.between(messages):
        contents.append(delimited(field, series.SerializeToString()))
        samples += len(series.samples)
        histograms += len(series.histograms)
        exemplars += len(series.exemplars)
    pieces = (*(delimited(_SYMBOLS, text.encode()) for text in time_slice.between(symbols)), *contents)
    body = compress(time_slice.between(_chunks(time_slice.between(pieces))))
    return request._replace(body=body, samples=samples, histograms=histograms, exemplars=exemplars)


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    chunk = bytearray()
    for piece in pieces:
        chunk += piece
        while len(chunk) >= _CHUNK:
            yield bytes(chunk[:_CHUNK])
            del chunk[:_CHUNK]
    yield bytes(chunk)


def _series_of(protocol: str) -> Any:
    return proto.write_v2_pb2.TimeSeries if protocol == PROTOCOL_2 else proto.write_v1_pb2.TimeSeries


def _series_field(protocol: str) -> int:
    return 5 if protocol == PROTOCOL_2 else 1
