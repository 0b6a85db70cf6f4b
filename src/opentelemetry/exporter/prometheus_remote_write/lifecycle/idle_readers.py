"""The SDK's own readers, which do not export if nothing was measured with OpenTelemetry.

An exporter that also pushes other metrics has to be called anyway. Our controller does so by itself; a reader that is
built in code, or by the SDK for a declarative file, does not.
"""

from __future__ import annotations

from contextlib import suppress
from functools import wraps
from typing import Any, Protocol
from weakref import WeakSet

from opentelemetry.sdk.metrics.export import MetricsData, PeriodicExportingMetricReader, ResourceMetrics

from .sdk_internals import exporter_of, resource_of


class Asked(Protocol):
    """An exporter that counts how often it was called."""

    times_asked: int


_asked_when_idle: WeakSet[Any] = WeakSet()


def ask_when_idle(exporter: Asked) -> None:
    """Make the SDK's readers call an exporter at each collection, whatever was measured; raise nothing."""
    _asked_when_idle.add(exporter)
    with suppress(Exception):
        _extend(PeriodicExportingMetricReader)


def _extend(kind: Any) -> None:
    original = kind.collect
    if hasattr(original, "__wrapped__"):
        return

    @wraps(original)
    def collect(self: Any, timeout_millis: float = 10_000) -> None:
        exporter: Any = exporter_of(self)
        is_asked = any(each is exporter for each in _asked_when_idle)
        before = exporter.times_asked if is_asked else None
        original(self, timeout_millis=timeout_millis)
        if before is not None and exporter.times_asked == before and (resource := resource_of(self)):
            nothing = MetricsData([ResourceMetrics(resource, [], resource.schema_url)])
            self._receive_metrics(nothing, timeout_millis=timeout_millis)

    kind.collect = collect
