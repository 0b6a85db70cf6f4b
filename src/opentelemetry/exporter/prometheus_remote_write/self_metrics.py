"""The exporter's metrics about itself: what it delivered, what it lost and why, what waits.

The first three follow OpenTelemetry's semantic conventions ("Semantic conventions for OpenTelemetry SDK metrics"),
under the SDK's own meter; the others, which the conventions lack, are under a meter of ours. All except the duration
are read, when the SDK collects, from what the exporter counts anyway.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from typing import NamedTuple
from urllib.parse import urlsplit
from weakref import WeakSet, WeakValueDictionary

from opentelemetry.metrics import CallbackOptions, Histogram, MeterProvider, Observation

from .configuration.endpoint_settings import DEFAULT_PORTS
from .errors import SendError
from .model.outcome import Outcome
from .version import __version__

_SDK_METER = "opentelemetry-sdk"
_OUR_METER = "opentelemetry.exporter.prometheus_remote_write"
_TYPE = "prometheus_remote_write_exporter"
_LIMIT = "max_series"
_REASONS = {
    Outcome.REJECTED: "rejected",
    Outcome.UNKNOWN: "unknown",
    Outcome.BUFFER_FULL: "buffer_full",
    Outcome.TOO_OLD: "too_old",
    Outcome.NOT_KEPT: "not_kept",
    Outcome.AT_EXIT: "at_exit",
    Outcome.FAULT: "fault",
}
_names = count()

Attributes = Mapping[str, str | int]


class Reading(NamedTuple):
    """An exporter's counts since the process began (in a forked child, since the fork), and its current state.

    Args:
        points: Data points by outcome.
        dropped: Data points dropped before they were sent, by reason.
        dropped_by_metric: Those of them that exceeded the series limit, by metric.
        waiting_points: How many data points wait.
        waiting_bytes: How many compressed bytes they take.
        waiting_seconds: How long the oldest has been waiting.
        requests: Requests by the status of their answer, or the cause of their failure.
        retries: How many of them had been sent before.
        sent_bytes: Their size in bytes, ``compressed`` and ``uncompressed``.
        series: How many series are sent.
        series_limit: How many the process may have; 0 is no limit.
        protocol: The version of Remote Write in use.
        last_success: When an export was last accepted as a whole, in seconds since the epoch; 0 if never.
        renewal_failures: How often each secret could not be renewed.
    """

    points: Mapping[Outcome, int]
    dropped: Mapping[str, int]
    dropped_by_metric: Mapping[str, int]
    waiting_points: int
    waiting_bytes: int
    waiting_seconds: float
    requests: Mapping[str, int]
    retries: int
    sent_bytes: Mapping[str, int]
    series: int
    series_limit: int
    protocol: str
    last_success: float
    renewal_failures: Mapping[str, int]


NOTHING = Reading({}, {}, {}, 0, 0, 0.0, {}, 0, {}, 0, 0, "", 0.0, {})
"""Before the first export."""


class SelfMetrics:
    """The metrics about one exporter.

    Args:
        read: Returns what the exporter has counted.
        endpoint: The URL that it sends to.
    """

    def __init__(self, read: Callable[[], Reading], endpoint: str) -> None:
        parts = urlsplit(endpoint)
        self._read = read
        self.attributes: dict[str, str | int] = {
            "otel.component.type": _TYPE,
            "otel.component.name": f"{_TYPE}/{next(_names)}",
            "server.address": parts.hostname or "",
            "server.port": parts.port or DEFAULT_PORTS.get(parts.scheme, 0),
        }
        self._duration: Histogram | None = None

    def serve(self, provider: MeterProvider) -> None:
        """Make a provider's meters report on the exporter; a second call does nothing."""
        if self._duration is None:
            instruments = _instruments.get(id(provider))
            if instruments is None:
                instruments = _instruments[id(provider)] = _Instruments(provider)
            instruments.exporters.add(self)
            self._duration = instruments.duration

    def record(self, seconds: float, *, accepted: bool, error: SendError | None) -> None:
        """Record an export.

        Args:
            seconds: How long it took, retries and waits included.
            accepted: Whether all of it was.
            error: Why a request was not accepted, if there was one.
        """
        if self._duration:
            self._duration.record(seconds, self.attributes if accepted else {**self.attributes, **_reason(error)})

    def exported(self) -> Iterator[Observation]:
        """Observe the data points that have an outcome."""
        reading = self._read()
        points = reading.points
        yield Observation(points.get(Outcome.ACCEPTED, 0), self.attributes)
        lost: Counter[str] = Counter()
        for outcome, reason in _REASONS.items():
            lost[reason] += points.get(outcome, 0)
        for reason, number in reading.dropped.items():
            lost["limit" if reason == _LIMIT else "untranslatable"] += number
        yield from self._by("error.type", lost)

    def inflight(self) -> Iterator[Observation]:
        """Observe the data points that have no outcome yet."""
        yield Observation(self._read().waiting_points, self.attributes)

    def sent(self) -> Iterator[Observation]:
        """Observe the bytes that were sent."""
        yield from self._by("prometheus_remote_write.body", self._read().sent_bytes)

    def requests(self) -> Iterator[Observation]:
        """Observe the requests by result."""
        for result, number in self._read().requests.items():
            name = "http.response.status_code" if result.isdigit() else "error.type"
            yield Observation(number, {**self.attributes, name: int(result) if result.isdigit() else result})

    def retries(self) -> Iterator[Observation]:
        """Observe the requests that were sent again."""
        yield Observation(self._read().retries, self.attributes)

    def waiting_bytes(self) -> Iterator[Observation]:
        """Observe the bytes that wait."""
        yield Observation(self._read().waiting_bytes, self.attributes)

    def waiting_seconds(self) -> Iterator[Observation]:
        """Observe how long the oldest has been waiting."""
        yield Observation(self._read().waiting_seconds, self.attributes)

    def series(self) -> Iterator[Observation]:
        """Observe the series that are sent."""
        yield Observation(self._read().series, self.attributes)

    def series_limit(self) -> Iterator[Observation]:
        """Observe the series limit, if there is one."""
        if limit := self._read().series_limit:
            yield Observation(limit, self.attributes)

    def series_dropped(self) -> Iterator[Observation]:
        """Observe the data points that exceed the limit, by metric."""
        yield from self._by("prometheus_remote_write.metric", self._read().dropped_by_metric)

    def protocol(self) -> Iterator[Observation]:
        """Observe the version of Remote Write."""
        if protocol := self._read().protocol:
            yield Observation(1, {**self.attributes, "network.protocol.version": protocol})

    def last_success(self) -> Iterator[Observation]:
        """Observe when an export was last accepted."""
        if seconds := self._read().last_success:
            yield Observation(seconds, self.attributes)

    def renewal_failures(self) -> Iterator[Observation]:
        """Observe how often a secret could not be renewed; include 0, so that the first failure is visible."""
        for secret, number in self._read().renewal_failures.items():
            yield Observation(number, {**self.attributes, "prometheus_remote_write.secret": secret})

    def _by(self, name: str, numbers: Mapping[str, int]) -> Iterator[Observation]:
        for value, number in numbers.items():
            if number:
                yield Observation(number, {**self.attributes, name: value})


class _Instruments:
    """The instruments of one provider, which report on all exporters that it serves."""

    def __init__(self, provider: MeterProvider) -> None:
        self.exporters: WeakSet[SelfMetrics] = WeakSet()
        sdk = provider.get_meter(_SDK_METER)
        sdk.create_observable_counter(
            "otel.sdk.exporter.metric_data_point.exported",
            [self._each(SelfMetrics.exported)],
            "{data_point}",
            "The number of metric data points for which the export has finished, either successful or failed.",
        )
        sdk.create_observable_up_down_counter(
            "otel.sdk.exporter.metric_data_point.inflight",
            [self._each(SelfMetrics.inflight)],
            "{data_point}",
            "The number of metric data points which were passed to the exporter, but that have not been exported yet.",
        )
        self.duration = sdk.create_histogram(
            "otel.sdk.exporter.operation.duration", "s", "The duration of exporting a batch of telemetry records."
        )
        ours = provider.get_meter(_OUR_METER, __version__)
        prefix = "prometheus_remote_write.exporter"
        for name, observe, unit, description in (
            (f"{prefix}.sent", SelfMetrics.sent, "By", "Bytes of requests, compressed and not."),
            (f"{prefix}.requests", SelfMetrics.requests, "{request}", "Requests by status, or cause of failure."),
            (f"{prefix}.retries", SelfMetrics.retries, "{request}", "Requests that were sent again."),
            (
                f"{prefix}.renewal_failures",
                SelfMetrics.renewal_failures,
                "{failure}",
                "Failures to renew a secret or a certificate.",
            ),
            (
                f"{prefix}.series.dropped",
                SelfMetrics.series_dropped,
                "{data_point}",
                "Data points that exceed the series limit, by metric.",
            ),
        ):
            ours.create_observable_counter(name, [self._each(observe)], unit, description)
        for name, observe, unit, description in (
            (f"{prefix}.backlog.size", SelfMetrics.waiting_bytes, "By", "Compressed bytes that wait to be sent again."),
            (f"{prefix}.backlog.age", SelfMetrics.waiting_seconds, "s", "How long the oldest of them has waited."),
            (f"{prefix}.series.count", SelfMetrics.series, "{series}", "Series that are sent."),
            (f"{prefix}.series.limit", SelfMetrics.series_limit, "{series}", "Series that the process may have."),
            (f"{prefix}.protocol", SelfMetrics.protocol, "{version}", "1 for the version of Remote Write in use."),
            (
                f"{prefix}.last_success.timestamp",
                SelfMetrics.last_success,
                "s",
                "When an export was last accepted in full, since the epoch.",
            ),
        ):
            ours.create_observable_gauge(name, [self._each(observe)], unit, description)

    def _each(
        self, observe: Callable[[SelfMetrics], Iterable[Observation]]
    ) -> Callable[[CallbackOptions], Iterable[Observation]]:
        return lambda _: [observation for exporter in [*self.exporters] for observation in observe(exporter)]


def _reason(error: SendError | None) -> Attributes:
    status = getattr(error, "status", None)
    reason: dict[str, str | int] = {"error.type": error.cause.value if error else "dropped"}
    return {**reason, "http.response.status_code": status} if status else reason


_instruments: WeakValueDictionary[int, _Instruments] = WeakValueDictionary()
"""By the identity of their provider, which keeps them alive."""
