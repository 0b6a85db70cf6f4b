"""What a receiver has received, as frozen data: the same for both versions of the protocol."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message as Headers

    from ..model.remote_write import Exemplar, Labels, Span


@dataclass(frozen=True, slots=True)
class Sample:
    """One value; timestamps are milliseconds since the epoch, and a start timestamp of 0 is unset."""

    value: float
    timestamp: int
    start_timestamp: int = 0


@dataclass(frozen=True, slots=True)
class Histogram:
    """One native histogram; its counts are int or float, as they were sent, and absolute where deltas were sent."""

    timestamp: int
    count: float
    sum: float
    schema: int
    zero_threshold: float = 0.0
    zero_count: float = 0
    negative_spans: tuple[Span, ...] = ()
    negative_counts: tuple[float, ...] = ()
    positive_spans: tuple[Span, ...] = ()
    positive_counts: tuple[float, ...] = ()
    custom_bounds: tuple[float, ...] = ()
    reset_hint: int = 0
    start_timestamp: int = 0


@dataclass(frozen=True, slots=True)
class ReceivedMetadata:
    """What a sender says of a metric family; the type is a word of the protocol in lower case, such as ``counter``."""

    type: str
    help: str
    unit: str


@dataclass(frozen=True, slots=True)
class Series:
    """One label set with its samples or histograms, oldest first."""

    labels: Labels
    samples: tuple[Sample, ...] = ()
    histograms: tuple[Histogram, ...] = ()
    exemplars: tuple[Exemplar, ...] = ()
    metadata: ReceivedMetadata | None = None

    @property
    def name(self) -> str:
        """The value of ``__name__``, or the empty string."""
        return self.label("__name__")

    def label(self, name: str) -> str:
        """Return a label's value, or the empty string: Prometheus makes no difference between the two."""
        return dict(self.labels).get(name, "")


@dataclass(frozen=True, slots=True)
class Message:
    """The content of one request; only protocol 1.0 has metadata by family, 2.0 has it in each series."""

    protocol: str
    series: tuple[Series, ...]
    families: Mapping[str, ReceivedMetadata]


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One HTTP request as it came in, body compressed; header names ignore case."""

    path: str
    headers: Headers
    body: bytes
    client_port: int
    began: float = field(default=0.0, kw_only=True)
    """When its head had been read, in seconds of the monotonic clock."""


@dataclass(frozen=True, slots=True)
class Received(ReceivedRequest):
    """A request that was accepted; repeated if one with the very same body had been accepted before (a retry)."""

    protocol: str
    series: tuple[Series, ...]
    families: Mapping[str, ReceivedMetadata]
    repeated: bool
    seconds: float = field(default=0.0, kw_only=True)
    """How long it took to read it and to take it in."""


@dataclass(frozen=True, slots=True)
class RejectedRequest(ReceivedRequest):
    """A request that was not accepted, with the status that was answered and one line why."""

    status: int
    reason: str
