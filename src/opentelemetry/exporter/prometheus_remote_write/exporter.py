"""The exporter: the SDK's interface, and the hooks for forks and exit, in front of the exports."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.metrics.view import Aggregation

from .configuration.aggregation import aggregation, temporality
from .configuration.declarative import is_from_declarative_file
from .configuration.loading import Problem, load
from .configuration.settings import Settings
from .late_exports import LateExports
from .lifecycle.exit_time import ExitTime
from .lifecycle.late_imports import expect_exports, import_for_last_export, import_in_steps
from .lifecycle.os_exit import flush_before_os_exit
from .lifecycle.own_signal import flush_before_own_signal
from .lifecycle.process_hooks import ProcessHooks
from .lifecycle.sdk_internals import has_counted
from .lifecycle.undisturbed import undisturbed
from .messages.own_logger import OwnLogger
from .system.bounded_call import EXIT_THREAD, EXIT_THREAD_NEEDED

if TYPE_CHECKING:
    from .data_path import DataPath
    from .model.transport import BaseTransport
    from .translation.dropped_points import DroppedPoints

_logger = OwnLogger(__name__)


class PrometheusRemoteWriteMetricsExporter(MetricExporter):
    """Pushes metrics to a Prometheus-compatible server by Remote Write.

    Every argument that is missing or None falls back to its variable (``OTEL_EXPORTER_PRW_...``, see the README), and
    then to its default. Without arguments nothing is raised, whatever the environment contains: mistakes there are
    logged, and if continuing would be unsafe nothing is sent. Creating an exporter does no I/O.

    Args:
        endpoint: The full write URL, such as ``http://prometheus:9090/api/v1/write``.
        basic_auth: ``username``, and ``password`` or ``password_file``.
        headers: Sent with every request. ``Authorization`` is one way to authenticate.
        timeout: Seconds for one request.
        tls_config: ``ca_file``, ``cert_file``, ``key_file``, ``server_name``, ``insecure_skip_verify``.
        proxies: ``http`` and ``https``: the proxy's URL for endpoints of that scheme.
        resources_as_labels: Copy every resource attribute onto every series, as the predecessor did.
        preferred_temporality: By instrument; Prometheus accepts only cumulative data, the default.
        preferred_aggregation: By instrument.
        transport: Carries requests in place of HTTP; it needs one method, ``post``.
        settings: Any other setting by its variable's name in lower case, such as ``namespace="shop"``.

    Raises:
        ValueError: An argument has a wrong value, or contradicts another one.
        TypeError: An argument is unknown or has the wrong type.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the predecessor's arguments, in their order
        self,
        /,  # a declarative file may hold any key
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
            temporalities = temporality(preferred_temporality)
            aggregations = aggregation(self.settings, preferred_aggregation)
        except (TypeError, ValueError) as error:
            if not is_from_declarative_file():
                error.__context__ = None
                raise error.with_traceback(None) from None
            what = f"{type(error).__name__}: {error}"
            self.settings = Settings()
            temporalities, aggregations = temporality(None), aggregation(self.settings, None)
            problems = [Problem(f"Metrics are not sent by Remote Write: mistake in the file: {what}", fatal=True)]
        finally:
            # Some tools print a traceback with local variables, which may be secrets.
            del endpoint, basic_auth, headers, tls_config, proxies, settings
        for problem in problems:
            _logger.log(logging.ERROR if problem.fatal else logging.WARNING, "%s", problem.message)
        self._inert = any(problem.fatal for problem in problems)
        super().__init__(
            preferred_temporality=temporalities,
            preferred_aggregation=aggregations,
        )
        self._late = LateExports(self, self.settings, transport, resources_as_labels=resources_as_labels)
        self._forked_before = False
        self._start_exit_thread()
        self.times_asked = 0
        if not self._inert:
            expect_exports()
            if self.settings.prometheus_client:
                from .lifecycle.idle_readers import ask_when_idle  # noqa: PLC0415 - only where that is wanted

                ask_when_idle(self)
        self._hooks = ProcessHooks(self)

    @property
    def shutdown_timeout(self) -> float:
        """How many seconds this exporter may add to the end of the process."""
        return self.settings.shutdown_timeout / 1000

    @property
    def flushes_before_os_exit(self) -> bool:
        """Whether to export if the process ends itself now: something was counted, and it is allowed."""
        if self.settings.disable_os_exit_flush:
            return False
        return bool(self.settings.prometheus_client) or has_counted(self)

    @property
    def dropped(self) -> DroppedPoints | None:
        """Where dropped points are counted; None before the first export."""
        return self._late.made.dropped if self._late.made else None

    @property
    def exit_time(self) -> ExitTime:
        """How much time this exporter may still add to the end of the process."""
        return self._late.exit_time

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,
        **_kwargs: Any,
    ) -> MetricExportResult:
        """Send what was collected; raise nothing.

        Args:
            metrics_data: What the SDK collected.
            timeout_millis: For everything, in milliseconds. At the end of the process ``shutdown_timeout`` applies,
                too; to a reader's last export it applies alone.

        Returns:
            SUCCESS if the receiver accepted all of it.
        """
        self.times_asked += 1
        exports = self._late.ready()
        if not exports:
            return MetricExportResult.FAILURE
        if self._inert or exports.has_ended:
            exports.accepted = False
            return MetricExportResult.FAILURE
        self._hooks.watch_exit()
        accepted = exports.export(metrics_data, timeout_millis / 1000)
        return MetricExportResult.SUCCESS if accepted else MetricExportResult.FAILURE

    def set_meter_provider(self, meter_provider: MeterProvider) -> None:
        """Report on this exporter by a provider's meters, if self-metrics are enabled.

        Args:
            meter_provider: The one that the exporter serves; without this call it is the global one.
        """
        if exports := self._late.made:  # where self-metrics are switched on, they are there
            exports.journal.serve(meter_provider)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Return whether everything exported so far was accepted, including what had been waiting.

        Args:
            timeout_millis: How long to wait for an export in progress, in milliseconds. There is nothing else to wait
                for: ``export`` sends at once.
        """
        if not (exports := self._late.made):
            return True
        turn = exports.under_way
        return (turn is None or turn.wait(timeout_millis / 1000)) and exports.accepted

    def cut_short(self, seconds: float) -> None:
        """End the export in progress, so that a newer one can follow; later exports are not affected.

        Args:
            seconds: After which its waits are interrupted.
        """
        if exports := self._late.made:
            exports.cut_short(seconds)

    def shutdown(self, timeout_millis: float = 30_000, *, timeout: float | None = None, **_kwargs: Any) -> None:
        """Shut down: later exports send nothing and return FAILURE.

        Args:
            timeout_millis: For stale markers, in milliseconds, within ``shutdown_timeout``.
            timeout: What the SDK's reader passes instead: the rest of its own timeout, which may be negative.
        """
        undisturbed(partial(self._end, (timeout_millis if timeout is None else timeout) / 1000))
        from .lifecycle.interrupt_status import keep_interrupt_status  # noqa: PLC0415 - only the end needs it

        keep_interrupt_status()

    def prepare(self, pause: Callable[[float], bool]) -> None:
        """Import what the first export needs, in small steps while there is time; raise nothing.

        Args:
            pause: Waits for some seconds and returns whether time is up.
        """
        if not self._inert:
            import_in_steps(pause)

    def prepare_for_exit(self) -> None:
        """Import at once what the last export needs; raise nothing."""
        if not self._inert:
            import_for_last_export()

    def at_exit(self) -> None:
        """Make the export in progress leave some of the time to the last one; called at exit."""
        self.exit_time.begin()
        self.cut_short(self.exit_time.left / 2)

    def before_fork(self) -> None:
        """Wait for an export that would also continue in the forked child; called in the parent."""
        if exports := self._late.made:
            exports.before_fork()

    def after_fork(self) -> None:
        """Replace what cannot be shared with the parent; called in a forked child."""
        # First, before the SDK's own handlers start a thread that exports.
        self._late.after_fork()
        self._start_exit_thread()
        from .lifecycle.child_exit import flush_at_end_of_child  # noqa: PLC0415 - only children need it

        flush_at_end_of_child(self, anew=not self._forked_before)
        flush_before_os_exit()
        flush_before_own_signal()
        self._forked_before = True

    def _end(self, seconds: float) -> None:
        self.exit_time.begin()
        if exports := self._late.ready_at_end():
            exports.end(seconds)
        EXIT_THREAD.stop(self)
        self._hooks.release()

    @property
    def _data_path(self) -> DataPath | None:
        return self._late.made.path.made if self._late.made else None

    def _start_exit_thread(self) -> None:
        if EXIT_THREAD_NEEDED:
            # The application's collectors may hang in two of them.
            EXIT_THREAD.start(self, threads=3 if self.settings.prometheus_client else 1)


def _check_transport(value: object) -> None:
    if value is None:
        return
    from .model.transport import BaseTransport  # noqa: PLC0415 - only where there is one

    if not isinstance(value, BaseTransport):
        raise TypeError(f"transport must be a BaseTransport, not {type(value).__name__}")


def _check_switch(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, not {type(value).__name__}")
