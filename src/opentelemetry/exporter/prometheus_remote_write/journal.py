"""The record of each export, for whoever checks whether metrics arrive: log lines and self-metrics."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from opentelemetry.metrics import MeterProvider, get_meter_provider

from .configuration.sdk_variables import wants_self_metrics
from .configuration.settings import Settings
from .messages.own_logger import OwnLogger
from .messages.shown import shown_url
from .messages.text import plural
from .translation.dropped_points import DroppedPoints

if TYPE_CHECKING:
    from .data_path import DataPath
    from .delivery.delivery import Delivery
    from .pipeline import Pipeline
    from .self_metrics import Reading, SelfMetrics

_logger = OwnLogger(__name__)


class Journal:
    """Records the outcome of exports.

    Args:
        settings: The exporter's.
        dropped: Where dropped points are counted.
        data_path: Returns the data path; None before the first export.
        interval: Returns the seconds between two exports, if known.
        collection: Returns the seconds that the last collection took, if known.
        environ: The environment, which may enable self-metrics.
        wall_clock: Seconds since the epoch.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what it looks at
        self,
        settings: Settings,
        dropped: DroppedPoints,
        data_path: Callable[[], DataPath | None],
        interval: Callable[[], float | None],
        collection: Callable[[], float | None],
        environ: Mapping[str, str],
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._dropped = dropped
        self._data_path = data_path
        self._interval = interval
        self._collection = collection
        self._wall_clock = wall_clock
        self._last_success = 0.0
        self._has_arrived = False
        self._self_metrics: SelfMetrics | None = None
        if wants_self_metrics(environ):
            from .self_metrics import SelfMetrics  # noqa: PLC0415 - only where they are wanted

            self._self_metrics = SelfMetrics(self._reading, settings.endpoint)

    def serve(self, provider: MeterProvider) -> None:
        """Report on the exporter by a provider's meters, if self-metrics are enabled."""
        if self._self_metrics:
            self._self_metrics.serve(provider)

    def after_fork(self) -> None:
        """Count from zero, in a forked child: earlier exports were the parent's."""
        self._last_success = 0.0

    def note(self, seconds: float, *, accepted: bool) -> None:
        """Record an export.

        Args:
            seconds: How long it took.
            accepted: Whether all of it was.
        """
        if not (path := self._data_path()):
            return
        pipeline, delivery = path.pipeline, path.delivery
        if accepted:
            if not self._has_arrived:
                self._has_arrived = True
                self._log_first_success(pipeline)
            self._last_success = self._wall_clock()
        if _logger.is_enabled_for(logging.DEBUG):
            self._log_export(seconds, pipeline, delivery, accepted=accepted)
        if self._self_metrics:
            self._self_metrics.serve(get_meter_provider())
            self._self_metrics.record(seconds, accepted=accepted, error=delivery.last_error)

    def _log_first_success(self, pipeline: Pipeline) -> None:
        interval = self._interval()
        coming = f", next push in {interval:g} s" if interval else ""
        _logger.info(
            "Metrics arrive at %s (Remote Write %s, %d series%s)",
            shown_url(self._settings.endpoint),
            pipeline.protocol,
            pipeline.last.series,
            coming,
        )

    def _log_export(self, seconds: float, pipeline: Pipeline, delivery: Delivery, *, accepted: bool) -> None:
        last = pipeline.last
        collection = self._collection()
        _logger.debug(
            "Export %s: %d series, %d %s, %d %s, %d bytes; collection %s, translation %.3f s, "
            "encoding %.3f s, sending %.3f s; %d %s so far, %d bytes waiting",
            "accepted" if accepted else "not accepted",
            last.series,
            last.samples,
            plural(last.samples, "sample"),
            last.requests,
            plural(last.requests, "request"),
            last.bytes,
            "not measured" if collection is None else f"{collection:.3f} s",
            last.translation,
            last.encoding,
            max(seconds - last.translation - last.encoding, 0.0),
            delivery.traffic.retries,
            plural(delivery.traffic.retries, "retry", "retries"),
            delivery.backlog.bytes,
        )

    def _reading(self) -> Reading:
        from .self_metrics import NOTHING, Reading  # noqa: PLC0415 - as above

        if not (path := self._data_path()):
            return NOTHING
        pipeline, delivery = path.pipeline, path.delivery
        traffic = delivery.traffic
        return Reading(
            points=delivery.points.copy(),
            dropped=self._dropped.points.copy(),
            dropped_by_metric=self._dropped.exceeding.copy(),
            waiting_points=delivery.backlog.points,
            waiting_bytes=delivery.backlog.bytes,
            waiting_seconds=delivery.waiting_seconds,
            requests=traffic.requests.copy(),
            retries=traffic.retries,
            sent_bytes={"compressed": traffic.compressed, "uncompressed": traffic.uncompressed},
            series=pipeline.series,
            series_limit=self._settings.max_series,
            protocol=pipeline.protocol,
            last_success=self._last_success,
            renewal_failures=path.transport.renewal_failures,
        )
