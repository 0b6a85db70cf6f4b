"""Collections that are overtaken: two threads may collect at the same time, and the later one may export first."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from opentelemetry.sdk.metrics.export import MetricsData

_LONGEST_WAIT = 600.0  # seconds since it was made; if it seems longer, the clock was set


def collection_began(
    data: MetricsData, clock: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
) -> float:
    """Return when a collection began, by the monotonic clock.

    Args:
        data: What was collected. The SDK gives all its points the time at which the collection began.
        clock: Seconds since the epoch.
        monotonic: Seconds.
    """
    age = 0.0
    with suppress(Exception):  # what cannot be read is dropped later, with its reason
        age = clock() - _collection_time(data)
    return monotonic() - (age if 0 <= age < _LONGEST_WAIT else 0.0)


def _collection_time(data: MetricsData) -> float:
    points = (
        point
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    )
    return next(points).time_unix_nano / 1e9
