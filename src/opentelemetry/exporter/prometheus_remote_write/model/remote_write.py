"""The data of Remote Write: what translation makes, encoders read and tests compare. No behaviour."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, TypeAlias

METRIC_NAME = "__name__"
"""The label that holds the metric's name; no attribute can set it."""

BUCKET_BOUND = "le"
"""The label that holds the upper bound of a classic histogram's bucket."""

CUSTOM_BUCKETS = -53
"""The schema of a native histogram whose buckets have bounds of their own."""

Labels: TypeAlias = tuple[tuple[str, str], ...]
"""Label names and values, sorted by the bytes of the name, unique, none of them empty."""


class MetricType(IntEnum):
    """The type of a metric family, numbered as in both versions of the protocol."""

    UNKNOWN = 0
    COUNTER = 1
    GAUGE = 2
    HISTOGRAM = 3
    GAUGEHISTOGRAM = 4
    SUMMARY = 5
    INFO = 6
    STATESET = 7


class Metadata(NamedTuple):
    """Metadata of a family: its name is that of the series without ``_bucket``, ``_sum`` or ``_count``."""

    family: str
    type: MetricType
    help: str
    unit: str


class Exemplar(NamedTuple):
    """An example measurement. ``timestamp`` is in milliseconds since the epoch."""

    labels: Labels
    value: float
    timestamp: int


class Span(NamedTuple):
    """A run of ``length`` buckets, ``offset`` buckets after the end of the previous run (or after bucket 0)."""

    offset: int
    length: int


class NativeHistogram(NamedTuple):
    """A native histogram with integer counts (Remote Write 2.0, message Histogram).

    Buckets are numbered by their upper bound. Deltas are differences from the previous bucket, across spans. With
    the schema ``CUSTOM_BUCKETS``, ``custom_bounds`` are the upper bounds of the buckets, and there is no zero bucket
    and no negative side.
    """

    count: int  # type: ignore[assignment]  # hides the tuple's unused method
    sum: float
    schema: int
    zero_threshold: float
    zero_count: int
    negative_spans: tuple[Span, ...]
    negative_deltas: tuple[int, ...]
    positive_spans: tuple[Span, ...]
    positive_deltas: tuple[int, ...]
    custom_bounds: tuple[float, ...] = ()
