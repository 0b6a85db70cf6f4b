"""Requests taken apart, by protobuf: for the rare case that a receiver does not take one as it is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from opentelemetry.exporter.prometheus_remote_write.encoding import write_v1_pb2, write_v2_pb2
from opentelemetry.exporter.prometheus_remote_write.encoding.compression import uncompressed
from opentelemetry.exporter.prometheus_remote_write.encoding.request import PROTOCOL_1, PROTOCOL_2, Request
from opentelemetry.exporter.prometheus_remote_write.model import METRIC_NAME

_MESSAGES: dict[str, Any] = {PROTOCOL_1: write_v1_pb2.WriteRequest, PROTOCOL_2: write_v2_pb2.Request}


class Parts(NamedTuple):
    """A request as series that can be put together anew.

    Args:
        request: The request.
        series: Its series, as messages of its protocol.
        symbols: The strings they refer to, in 2.0.
    """

    request: Request
    series: Sequence[Any]
    symbols: Sequence[str]

    def keys(self) -> list[bytes]:
        """Returns what makes each series the same in another request of protocol 1.0: its labels."""
        return [b"".join(label.SerializeToString() for label in series.labels) for series in self.series]

    def names(self) -> list[str]:
        """Returns each series as a user reads it, in protocol 1.0."""
        return [_shown({label.name: label.value for label in series.labels}) for series in self.series]

    def only(self, chosen: Collection[int], compress: Callable[[bytes], bytes]) -> Request:
        """Returns a request with some of the series, by their positions.

        Args:
            chosen: The positions.
            compress: Makes a body of a message.
        """
        series = [self.series[position] for position in chosen]
        message = _MESSAGES[self.request.protocol](timeseries=series)
        if self.symbols:
            message.symbols.extend(self.symbols)
        return encoded(message, self.request.protocol, self.request.batch, compress)


def parts(request: Request) -> Parts:
    """Returns the parts of a request."""
    message = _MESSAGES[request.protocol].FromString(uncompressed(request.body))
    return Parts(request, list(message.timeseries), list(getattr(message, "symbols", ())))


def encoded(message: Any, protocol: str, batch: int, compress: Callable[[bytes], bytes]) -> Request:
    """Returns the request that a message is."""
    return Request(
        body=compress(message.SerializeToString()),
        protocol=protocol,
        samples=sum(len(series.samples) for series in message.timeseries),
        histograms=sum(len(series.histograms) for series in message.timeseries),
        exemplars=sum(len(series.exemplars) for series in message.timeseries),
        batch=batch,
    )


def _shown(labels: dict[str, str]) -> str:
    name = labels.pop(METRIC_NAME, "")
    return f"{name}{{{', '.join(f'{label}={text!r}' for label, text in labels.items())}}}"
