"""The exporter: where translation, encoding and delivery meet, and their life from the first export to the exit."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.metrics.view import Aggregation

from .configuration.aggregation import aggregation, temporality
from .configuration.declarative import is_from_declarative_file
from .configuration.loading import Problem, load
from .configuration.settings import Settings
from .delivery.delivery import Delivery
from .delivery.retry import Pace
from .delivery.window import Window
from .encoding.compression import compressor
from .flag import Flag
from .journal import Journal, Parts
from .lifecycle.child_exit import flush_at_end_of_child
from .lifecycle.exit_time import ExitTime
from .lifecycle.instance_id import Instance, generated_id, host_name
from .lifecycle.process_hooks import ProcessHooks
from .lifecycle.sdk_internals import interval_of, is_ended, let_in, readers_of, renew_after_fork, thread_of
from .lifecycle.turns import Turns
from .lifecycle.undisturbed import undisturbed
from .model.outcome import Outcome
from .model.request import PROTOCOL_1, PROTOCOL_2
from .model.transport import BaseTransport
from .own_logger import OwnLogger
from .pipeline import Pipeline
from .prometheus_client.source import Source
from .redaction import shown_url
from .translation.dropped_points import DroppedPoints
from .transport.pool import Transport
from .version import __version__

_logger = OwnLogger(__name__)

_USUAL_INTERVAL = 60_000  # milliseconds: the SDK's default
_TO_GIVE_UP = 0.2  # seconds that an interrupted export may take to notice

USER_AGENT = f"OTel-Prometheus-Remote-Write-Exporter-Python/{__version__}"


class PrometheusRemoteWriteMetricsExporter(MetricExporter):
    """Pushes metrics to a Prometheus-compatible server by Remote Write.

    Every argument that is not given, or None, is read from its variable (``OTEL_EXPORTER_PRW_...``, see the README),
    and has a default otherwise. Without arguments nothing is raised, whatever the environment holds: what is wrong
    there is logged, and where it would not be safe to go on nothing is sent. Making an exporter does no I/O.

    Args:
        endpoint: The full write URL, such as ``http://prometheus:9090/api/v1/write``.
        basic_auth: ``username``, and ``password`` or ``password_file``.
        headers: Of every request. ``Authorization`` is one way to authenticate.
        timeout: Seconds for one request.
        tls_config: ``ca_file``, ``cert_file``, ``key_file``, ``server_name``, ``insecure_skip_verify``.
        proxies: ``http`` and ``https``: the proxy's URL for endpoints of that scheme.
        resources_as_labels: Copy every resource attribute onto every series, as the predecessor did.
        preferred_temporality: By instrument; Prometheus can take only cumulative data, the default.
        preferred_aggregation: By instrument.
        transport: What carries requests in place of HTTP; it needs one method, ``post``.
        settings: The README's other settings, by their names in lower case, such as ``namespace="shop"``.

    Raises:
        ValueError: An argument has a wrong value, or contradicts another one.
        TypeError: An argument is unknown or of a wrong type.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the predecessor's arguments, in their order
        self,
        endpoint: str | None = None,
        basic_auth: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        tls_config: Mapping[str, str | bool] | None = None,
        proxies: Mapping[str, str] | None = None,
        resources_as_labels: bool = False,  # noqa: FBT001, FBT002 - as above
        preferred_temporality: dict[type, AggregationTemporality] | None = None,
        preferred_aggregation: dict[type, Aggregation] | None = None,
        *,
        transport: BaseTransport | None = None,
        **settings: Any,
    ) -> None:
        try:
            self.settings, problems = load(
                {
                    "endpoint": endpoint,
                    "basic_auth": basic_auth,
                    "headers": headers,
                    "timeout": timeout,
                    "tls_config": tls_config,
                    "proxies": proxies,
                    **settings,
                },
                os.environ,
            )
            _check_switch("resources_as_labels", resources_as_labels)
            _check_transport(transport)
        except (TypeError, ValueError) as error:
            if not is_from_declarative_file():
                error.__context__ = None
                raise error.with_traceback(None) from None
            what = f"{type(error).__name__}: {error}"
            self.settings = Settings()
            problems = [Problem(f"Metrics are not sent by Remote Write: mistake in the file: {what}", fatal=True)]
        finally:
            # Tools show a traceback with what its frames hold, and these may be secrets.
            del endpoint, basic_auth, headers, tls_config, proxies, settings
        for problem in problems:
            _logger.log(logging.ERROR if problem.fatal else logging.WARNING, "%s", problem.message)
        self._inert = any(problem.fatal for problem in problems)
        super().__init__(
            preferred_temporality=temporality(preferred_temporality),
            preferred_aggregation=aggregation(self.settings, preferred_aggregation),
        )
        self.dropped = DroppedPoints()
        self._resources_as_labels = resources_as_labels
        self._compress = compressor()
        protocol = PROTOCOL_1 if self.settings.protocol == PROTOCOL_1 else PROTOCOL_2
        self._pipeline = self._new_pipeline(protocol, self.settings.max_samples_per_send)
        self._transport = transport or Transport(self.settings, environ=os.environ, user_agent=USER_AGENT)
        self._delivery = Delivery(self._transport, self.settings, self._compress)
        self._pace = Pace((self.settings.interval or _USUAL_INTERVAL) / 1000)
        fixed = host_name if self.settings.instance == "host" else str
        self._instance = Instance(shown_url(self.settings.endpoint), generated_id, fixed=fixed)
        self._prometheus_client = Source(self.settings.prometheus_client) if self.settings.prometheus_client else None
        self._turns = Turns(self._resume)
        self._is_doubtful = False
        self._shut_down = False
        self._accepted = True
        self._forked_before = False
        self.exit_time = ExitTime(self.shutdown_timeout)
        self._journal = Journal(self.settings, self.dropped, self._parts, self._interval, os.environ)
        self._hooks = ProcessHooks(self)

    @property
    def shutdown_timeout(self) -> float:
        """How long the end of the process may take because of this exporter, in seconds."""
        return self.settings.shutdown_timeout / 1000

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,
        **_kwargs: Any,
    ) -> MetricExportResult:
        """Send what was collected; nothing is raised.

        Args:
            metrics_data: What the SDK collected.
            timeout_millis: For everything, in milliseconds. At the end of the process ``shutdown_timeout`` holds, too;
                for the last export of a reader it holds alone.

        Returns:
            SUCCESS if the receiver accepted all of it.
        """
        if self._shut_down or self._inert:
            self._accepted = False
            return MetricExportResult.FAILURE
        self._hooks.watch_exit()
        work = partial(self._export, metrics_data, timeout_millis / 1000, threading.current_thread())
        try:
            accepted = self._turns.take(work)
        except MemoryError:
            accepted = False
        return MetricExportResult.SUCCESS if accepted else MetricExportResult.FAILURE

    def set_meter_provider(self, meter_provider: MeterProvider) -> None:
        """Tell of this exporter by a provider's meters, where self-metrics are switched on.

        Args:
            meter_provider: The one that the exporter serves; without it, it is the global one.
        """
        self._journal.serve(meter_provider)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Return whether everything that was exported was accepted, what had been waiting included.

        Args:
            timeout_millis: For the end of an export that is under way, in milliseconds. Nothing else is waited for:
                ``export`` sends at once.
        """
        turn = self._turns.under_way
        return (turn is None or turn.wait(timeout_millis / 1000)) and self._accepted

    def cut_short(self, seconds: float) -> None:
        """End the export that is under way, so that another one can tell more; those that come are not concerned.

        Args:
            seconds: After which what it waits for is interrupted.
        """
        if turn := self._turns.under_way:
            undisturbed(partial(self._cut_short, turn, seconds))

    def shutdown(self, timeout_millis: float = 30_000, *, timeout: float | None = None, **_kwargs: Any) -> None:
        """End: later exports send nothing and return FAILURE.

        Args:
            timeout_millis: For stale markers, in milliseconds, within ``shutdown_timeout``.
            timeout: What the SDK's reader passes instead: what is left of its own timeout, which may be negative.
        """
        undisturbed(partial(self._end, (timeout_millis if timeout is None else timeout) / 1000))

    def at_exit(self) -> None:
        """Have the export that is under way leave some of the time to the last one; called at the exit."""
        self.exit_time.begin()
        self.cut_short(self.exit_time.left / 2)

    def after_fork(self) -> None:
        """Remake what cannot be shared with the parent; called in a forked child."""
        # First, before the SDK's own handlers start a thread that exports.
        self._instance.after_fork(renew_after_fork(self))
        self._turns = Turns(self._resume)
        self.exit_time = ExitTime(self.shutdown_timeout)
        if self._prometheus_client:
            self._prometheus_client.after_fork()
        self._transport.after_fork()
        self._delivery = Delivery(self._transport, self.settings, self._compress)
        self._pipeline = self._new_pipeline(self._pipeline.protocol, self._pipeline.max_samples)
        flush_at_end_of_child(self, anew=not self._forked_before)
        self._forked_before = True

    def _export(self, metrics_data: MetricsData, timeout: float, thread: threading.Thread) -> bool:
        """Export in its turn; the thread is the one that asked for it."""
        let_in(self)
        if self._shut_down:  # while it waited for its turn
            self._accepted = False
            _logger.warning("Metrics are lost: the exporter was shut down before they could be exported")
            return False
        began = time.monotonic()
        try:
            if self._is_doubtful:
                self._replace_pipeline(self._pipeline.protocol, self._pipeline.max_samples)
            self._is_doubtful, self._accepted = True, False  # until it has ended, what is kept may be half changed
            self._accepted = self._deliver(metrics_data, timeout, in_background=self._is_in_background(thread))
            self._is_doubtful = False
        except Exception as error:  # noqa: BLE001 - telemetry never raises into the application
            # The error's text may hold anything, so only its type is told.
            _logger.error("Export failed: internal exporter error (%s)", type(error).__name__)  # noqa: TRY400
        self._journal.note(time.monotonic() - began, accepted=self._accepted)
        return self._accepted

    def _cut_short(self, turn: Flag, seconds: float) -> None:
        with self.exit_time.counted():
            began = time.monotonic()
            self._turns.during(turn, partial(self._delivery.cut_short, began + seconds))
            if not turn.wait(seconds):
                self._turns.during(turn, self._interrupt)
                # One that does not notice in time, on a busy machine, still does so later.
                turn.wait(_TO_GIVE_UP)

    def _interrupt(self) -> None:
        self._delivery.cut_short(-math.inf)
        self._transport.interrupt()

    def _end(self, seconds: float) -> None:
        if not self._shut_down:
            self._shut_down = True
            self.exit_time.begin()
            seconds = max(min(seconds, self.exit_time.left), 0.0)
            end = time.monotonic() + seconds
            turn = self._turns.under_way
            # An export that is under way is waited for only where there is something to say.
            if turn is None or (self.settings.stale_markers and turn.wait(seconds)):
                self._turns.take(partial(self._end_series, end))
        self._delivery.close()
        if turn := self._turns.under_way:
            self._turns.during(turn, self._transport.interrupt)
            turn.wait(_TO_GIVE_UP)  # it says what is lost
        if self._prometheus_client:
            self._prometheus_client.release()
        self._transport.close()
        self._instance.release()
        self._hooks.release()

    def _parts(self) -> Parts:
        return Parts(self._pipeline, self._delivery)

    def _interval(self) -> float | None:
        return next(filter(None, map(interval_of, readers_of(self))), None)

    def _new_pipeline(self, protocol: str, max_samples: int) -> Pipeline:
        return Pipeline(
            self.settings,
            self.dropped,
            self._compress,
            protocol=protocol,
            max_samples=max_samples,
            resources_as_labels=self._resources_as_labels,
        )

    def _replace_pipeline(self, protocol: str, max_samples: int) -> None:
        # Now, not when it is collected: what comes after it takes the same series.
        self._pipeline.detach()
        self._pipeline = self._new_pipeline(protocol, max_samples)

    def _deliver(self, metrics_data: MetricsData, timeout: float, *, in_background: bool) -> bool:
        """Translate, encode and deliver an export, and heed what delivery has learnt of the receiver."""
        now = time.monotonic()
        retry_until = self._pace.begin(now)
        if self._readers_have_ended():
            # The SDK gives the last export the interval as its timeout, which may be much less than there is.
            self.exit_time.begin()
            timeout = math.inf
        if is_last := self.exit_time.has_begun:
            timeout = min(timeout, self.exit_time.for_requests)
            retry_until = now + timeout
        with self.exit_time.counted():
            identified = self._instance.identified(metrics_data)
            collected = None
            if self._prometheus_client:
                seconds = min(timeout, self.shutdown_timeout)
                collected = self._prometheus_client.collect(
                    identified, self._instance.group, seconds, last=self.exit_time.has_begun
                )
            requests = self._pipeline.requests(identified, collected, gives_way=not is_last and in_background)
            size = sum(request.size for request in requests)
            not_kept = self._delivery.samples[Outcome.NOT_KEPT]
            try:
                return self._delivery.deliver(requests, Window(now + timeout, retry_until, is_last=is_last))
            finally:
                self._pipeline.end_export(lost=self._delivery.samples[Outcome.NOT_KEPT] - not_kept == size)
                self._pace.end(time.monotonic())
                self._heed_receiver()

    def _heed_receiver(self) -> None:
        """Encode from now on in the version that the receiver has shown to take."""
        before = self._pipeline
        protocol = min(before.protocol, self._delivery.protocol)
        if protocol != before.protocol:
            self._replace_pipeline(protocol, before.max_samples)
            self._pipeline.take_over(before)

    def _resume(self) -> None:
        """Have nothing interrupted any more."""
        self._transport.resume()
        self._delivery.resume()

    def _end_series(self, end: float) -> None:
        """Mark every series as stale, where that is wanted, and leave its place under the series limit to others."""
        try:
            requests = [] if self._inert else self._pipeline.ends()
            if requests:
                window = Window(end, end, is_last=True)
                self._accepted = self._delivery.deliver(requests, window) and self._accepted
            self._pipeline.release()
        except Exception as error:  # noqa: BLE001 - telemetry never raises into the application
            _logger.error("Stale markers were not sent: internal exporter error (%s)", type(error).__name__)  # noqa: TRY400

    def _is_in_background(self, thread: threading.Thread) -> bool:
        """Return whether nobody waits for an export: a reader's thread asked for it, or at least not the main one."""
        threads = {thread_of(reader) for reader in readers_of(self)}
        return thread in threads if threads else thread is not threading.main_thread()

    def _readers_have_ended(self) -> bool:
        """Return whether what is exported now is the last collection."""
        readers = readers_of(self)
        return bool(readers) and all(map(is_ended, readers))


def _check_transport(value: object) -> None:
    if not isinstance(value, BaseTransport | None):
        raise TypeError(f"transport must be a BaseTransport, not {type(value).__name__}")


def _check_switch(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, not {type(value).__name__}")
