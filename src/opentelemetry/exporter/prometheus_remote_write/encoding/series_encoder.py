"""What the versions of the protocol have in common: a series is labels, then what it is worth."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from opentelemetry.exporter.prometheus_remote_write.model import BUCKET_BOUND, METRIC_NAME, Exemplar, NativeHistogram
from opentelemetry.exporter.prometheus_remote_write.series import Family, Stream


class SeriesEncoder(Protocol):
    """Writes the parts of the series of one request, in one version of the protocol.

    Attributes:
        field: The number that the series have as a field of the request.
    """

    field: int

    def is_stale(self, streams: int) -> bool:
        """Returns whether most of what is kept belongs to streams that are gone.

        Args:
            streams: How many are left.
        """

    def request_fields(self) -> bytes:
        """Returns what the request holds beside its series; it is the last that is asked for of a request."""

    def constant_fields(self, family: Family, stream: Stream) -> list[tuple[bytes, ...]]:
        """Returns, for each series of a stream, the fields that are the same in every export: its labels above all.

        They may be in pieces, so that what the series have in common is kept once; in as many for every series.
        """

    def sample_opening(self, stream: Stream) -> bytes:
        """Returns what a float sample begins with; its value (8 bytes) and its timestamp field (7 bytes) follow."""

    def histogram(self, histogram: NativeHistogram, stream: Stream, timestamp: int) -> bytes:
        """Returns the field that holds a native histogram."""

    def exemplars(self, exemplars: Sequence[Exemplar]) -> bytes:
        """Returns the fields that hold exemplars; asked for after the constant fields of all series."""


def in_label_order(
    family: Family, stream: Stream, encode: Callable[[tuple[str, str]], bytes]
) -> list[tuple[bytes, bytes, bytes]]:
    """Encode the labels of each series of a stream: what comes before ``le``, ``le``, and what comes after it.

    Args:
        family: Says how the series are called.
        stream: Its labels are sorted; ``__name__`` and ``le`` are put where they belong among them.
        encode: From a label, its name and value, to its bytes.
    """
    labels = stream.labels
    pieces = list(map(encode, labels))
    at_name = bisect_left(labels, (METRIC_NAME,))
    at_bound = bisect_left(labels, (BUCKET_BOUND,))
    first, middle, last = b"".join(pieces[:at_name]), b"".join(pieces[at_name:at_bound]), b"".join(pieces[at_bound:])
    before = {name: b"".join((first, encode((METRIC_NAME, name)), middle)) for name, _ in family.groups}
    return [(before[name], encode((BUCKET_BOUND, le)) if le else b"", last) for name, le in family.names]


def histogram_fields(histogram: NativeHistogram) -> dict[str, Any]:
    """Returns the fields of the message Histogram that both versions have, but for its times."""
    return {
        "count_int": histogram.count,
        "sum": histogram.sum,
        "schema": histogram.schema,
        "zero_threshold": histogram.zero_threshold,
        "zero_count_int": histogram.zero_count,
        "negative_spans": [span._asdict() for span in histogram.negative_spans],
        "negative_deltas": histogram.negative_deltas,
        "positive_spans": [span._asdict() for span in histogram.positive_spans],
        "positive_deltas": histogram.positive_deltas,
    }
