"""What the protocol versions have in common: a series is its labels, then its samples."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from ..model.family import Family
from ..model.remote_write import (
    BUCKET_BOUND,
    METRIC_NAME,
    Exemplar,
    Labels,
    NativeHistogram,
)


class EncodedLabels(NamedTuple):
    """The encoded labels of a stream, in three parts; ``__name__`` and ``le`` of a series go between them."""

    first: bytes
    middle: bytes
    last: bytes


class SeriesEncoder(Protocol):
    """Encodes the parts of the series of one request, in one protocol version.

    Attributes:
        series_tag: What precedes the length of each series in the request; one byte, as prefixes require.
        long_labels: Whether labels take so many bytes that series should share them: in 1.0 it saves 24 % of memory.
        accumulates: Whether the request holds everything ever encoded for it, also of streams that are gone.
    """

    series_tag: bytes
    long_labels: bool
    accumulates: bool

    def request_fields(self) -> bytes:
        """Return what the request holds besides its series; called last for each request."""

    def label(self, label: tuple[str, str]) -> bytes:
        """Return one label, its name and value."""

    def labels(self, labels: Labels) -> EncodedLabels:
        """Return the labels of a stream."""

    def before_labels(self, size: int) -> bytes:
        """Return what precedes the labels of a series, given how many bytes they take."""

    def after_labels(self, family: Family) -> bytes:
        """Return what follows the labels of a series and is the same in every export."""

    def sample_opening(self, start: int) -> bytes:
        """Return the beginning of a float sample; its value (8 bytes) and its timestamp field (7 bytes) follow.

        Args:
            start: The start of the stream's counts, in milliseconds since the epoch; 0 if unknown.
        """

    def histogram(self, histogram: NativeHistogram, start: int, timestamp: int) -> bytes:
        """Return the field that holds a native histogram; its times are in milliseconds since the epoch."""

    def exemplars(self, exemplars: Sequence[Exemplar]) -> bytes:
        """Return the fields that hold exemplars; called after the constant part of all series."""


def encoded_labels(labels: Labels, encode: Callable[[tuple[str, str]], bytes]) -> EncodedLabels:
    """Return the labels of a stream in parts, so that those of its series are in order.

    Args:
        labels: Sorted, without ``__name__`` and ``le``.
        encode: From a label, its name and value, to its bytes.
    """
    pieces = list(map(encode, labels))
    at_name = bisect_left(labels, (METRIC_NAME,))
    at_bound = bisect_left(labels, (BUCKET_BOUND,))
    return EncodedLabels(b"".join(pieces[:at_name]), b"".join(pieces[at_name:at_bound]), b"".join(pieces[at_bound:]))


def histogram_fields(histogram: NativeHistogram) -> dict[str, Any]:
    """Return the fields of the message Histogram that both versions have, except its times."""
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
