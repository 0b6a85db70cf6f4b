"""Requests taken apart with protobuf, for the rare case that a receiver refuses one as a whole."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from .. import proto
from ..model.remote_write import Labels
from ..model.request import PROTOCOL_2, Request
from ..system.time_slice import TimeSlice
from .compression import Compress, uncompressed


class Parts(NamedTuple):
    """A request as series that can be recombined.

    Args:
        request: The request.
        series: Its series, as messages of its protocol.
        symbols: The strings they refer to, in 2.0.
        time_slice: Yields the GIL between series.
    """

    request: Request
    series: Sequence[Any]
    symbols: Sequence[str]
    time_slice: TimeSlice

    def labels(self) -> list[Labels]:
        """Return the labels of each series, the same in both versions of the protocol."""
        if self.request.protocol == PROTOCOL_2:
            return [labels(series.labels_refs, self.symbols) for series in self.time_slice.between(self.series)]
        return [
            tuple((label.name, label.value) for label in series.labels)
            for series in self.time_slice.between(self.series)
        ]

    def only(self, chosen: Collection[int], compress: Compress) -> Request:
        """Return a request with some of the series, and in 2.0 with only their strings.

        Args:
            chosen: The positions of the series.
            compress: Compresses a message into a body.
        """
        message = _message_of(self.request.protocol)(timeseries=[self.series[position] for position in chosen])
        if self.request.protocol == PROTOCOL_2:
            table = {"": 0}
            for series in self.time_slice.between(message.timeseries):
                self._refer_to(table, series)
            message.symbols.extend(table)
        points, series = self.request.points, len(self.series)
        # One for each series that completes a data point, so that the points of all parts add up.
        own = sum((position + 1) * points // series - position * points // series for position in chosen)
        return encoded(message, self.request.protocol, self.request.batch, compress, own)

    def _refer_to(self, table: dict[str, int], series: Any) -> None:
        def moved(references: Iterable[int]) -> list[int]:
            return [table.setdefault(self.symbols[reference], len(table)) for reference in references]

        series.labels_refs[:] = moved(series.labels_refs)
        for exemplar in series.exemplars:
            exemplar.labels_refs[:] = moved(exemplar.labels_refs)
        if series.HasField("metadata"):
            metadata = series.metadata
            metadata.help_ref, metadata.unit_ref = moved((metadata.help_ref, metadata.unit_ref))


def parts(request: Request, *, gives_way: bool = False) -> Parts:
    """Return the parts of a request.

    Args:
        request: The request.
        gives_way: Whether work on the parts yields the GIL. Not if somebody waits for its end.
    """
    time_slice = TimeSlice()
    time_slice.begin(gives_way=gives_way)
    message = _message_of(request.protocol).FromString(uncompressed(request.body))
    return Parts(request, list(message.timeseries), list(getattr(message, "symbols", ())), time_slice)


def labels(references: Iterable[int], symbols: Sequence[str]) -> Labels:
    """Return the labels that references of 2.0 stand for: alternating names and values."""
    texts = [symbols[reference] for reference in references]
    return tuple(zip(texts[::2], texts[1::2], strict=True))


def encoded(message: Any, protocol: str, batch: int, compress: Compress, points: int = 0) -> Request:
    """Return the request for a message."""
    return Request(
        body=compress([message.SerializeToString()]),
        protocol=protocol,
        samples=sum(len(series.samples) for series in message.timeseries),
        histograms=sum(len(series.histograms) for series in message.timeseries),
        exemplars=sum(len(series.exemplars) for series in message.timeseries),
        batch=batch,
        points=points,
    )


def _message_of(protocol: str) -> Any:
    return proto.write_v2_pb2.Request if protocol == PROTOCOL_2 else proto.write_v1_pb2.WriteRequest
