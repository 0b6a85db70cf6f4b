"""The controller: the SDK's periodic reader, jittered and bounded at its end.

The one of opentelemetry-sdk 1.45 waits a whole interval first, so that workers that start together push together, and
at its shutdown up to 30 seconds for an export that is under way.
"""

from __future__ import annotations

import _thread
import os
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricsData, PeriodicExportingMetricReader, ResourceMetrics

from ..messages.own_logger import OwnLogger
from ..system.bounded_call import Waiter, bounded_call
from .application_start import ApplicationStart
from .collection_watch import CollectionWatch
from .ending import Pusher
from .gevent_patches import starts_threads_after_forks
from .sdk_internals import is_ticking, resource_of
from .uwsgi_embeds import uwsgi_may_embed

_logger = OwnLogger(__name__)

_NEVER = 2**31 - 1  # milliseconds, some 25 days: an interval that the process does not live to see

_COLLECTION_TIMEOUT = 30_000.0  # milliseconds; the specification's

_UNTIL_THERE_IS_A_PROVIDER = 0.01  # seconds; it is made right after its reader


class Controller(PeriodicExportingMetricReader):
    """Collects and exports once in an interval, the first time at a random moment within the first one.

    Args:
        exporter: Ours: a ``MetricExporter`` that is a :class:`Pusher`, too. Without one, what was prepared holds.
        export_interval_millis: Milliseconds; 0 exports at the end alone.
        random: A number from 0 to 1.
        lets_start: Whether the application is still to start, as under the launcher: it does so first.

    Attributes:
        prepared: The exporter and the interval of the controller that the SDK builds under the launcher. It finds the
            class by name, and can pass arguments from 1.35 on only; a later version may do so in another way.
        collection_seconds: How long the last collection took; None before the first.
    """

    prepared: ClassVar[tuple[Any, float]]

    def __init__(
        self,
        exporter: Any = None,
        export_interval_millis: float = 0,
        *,
        random: Callable[[], float] = random.random,
        lets_start: bool = False,
    ) -> None:
        if exporter is None:
            (exporter, export_interval_millis), lets_start = self.prepared, True
        # First: the SDK's constructor starts the thread.
        self._pusher: Pusher = exporter
        self._has_received = False
        self._random = random if export_interval_millis else lambda: 1.0
        export_interval_millis = export_interval_millis or _NEVER
        self.collection_seconds: float | None = None
        self._began = 0.0
        self._watch = CollectionWatch(export_interval_millis / 1000)
        self._said = ""
        self._is_late = False
        self._lets_start = lets_start
        self._ends = Waiter()
        # What the SDK's constructor keeps itself, under these private names: a later SDK may call it otherwise.
        self._exporter, self._shutdown, self._shutdown_event = exporter, False, threading.Event()
        self._export_interval_millis, self._export_timeout_millis = export_interval_millis, _COLLECTION_TIMEOUT
        self._rests = False
        if uwsgi_may_embed():
            from .uwsgi import threads_wait  # noqa: PLC0415 - only there

            self._rests = threads_wait(self._at_fork_reinit)
        super().__init__(exporter, export_interval_millis=export_interval_millis)

    def _at_fork_reinit(self) -> None:
        """Start the thread of a forked child, or of a process that could not have one at first."""
        self._rests = False
        # gevent's own handler comes after this one, and wants to find the main thread alone.
        self._is_late = starts_threads_after_forks()
        if not self._is_late:
            super()._at_fork_reinit()  # type: ignore[no-untyped-call]  # the SDK's

    def start_late(self) -> None:
        """Start the thread where the fork has not done so."""
        if self._is_late:
            self._is_late = False
            super()._at_fork_reinit()  # type: ignore[no-untyped-call]  # the SDK's

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Collect and export once more, and end; at most for what is left of the exporter's time at the exit."""
        if self._shutdown:
            return
        self.start_late()  # it is the thread that collects
        exit_time = self._pusher.exit_time
        self._ends.end()
        exit_time.begin()
        with suppress(TimeoutError), exit_time.counted():
            # Now, where that has not been done yet; the rest of the time is for the export.
            bounded_call(self, lambda: self._pusher.prepare(None), exit_time.left / 2)
        seconds = min(max(timeout_millis / 1000, 0.0), exit_time.left)
        end = time.monotonic() + seconds
        if not self._shutdown_event.is_set():
            has_thread = is_ticking(self)
            # In this order: what the thread collects from now on is the last, and that is not cut short.
            self._shutdown_event.set()
            self._pusher.cut_short(seconds / 2)
            if not has_thread:
                self._collect_and_export(exit_time.left * 1000)
        super().shutdown(timeout_millis=max(end - time.monotonic(), 0.0) * 1000, **kwargs)
        self._watch.stop()

    def _set_meter_provider(self, meter_provider: MeterProvider) -> None:
        # The SDK calls it from 1.45 on, for its own metrics about the reader.
        super()._set_meter_provider(meter_provider)
        self._pusher.set_meter_provider(meter_provider)

    def collect(self, timeout_millis: float = 10_000) -> None:  # type: ignore[misc]  # final, but a hook is missing
        """Collect and export; where nothing has been measured yet, export that: what is idle can be seen to live."""
        self._has_received, self._began = False, time.monotonic()
        super().collect(timeout_millis=timeout_millis)
        if not self._has_received and (resource := resource_of(self)):
            nothing = MetricsData([ResourceMetrics(resource, [], resource.schema_url)])
            self._receive_metrics(nothing, timeout_millis=timeout_millis)

    def _receive_metrics(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_kwargs: Any) -> None:
        self._has_received = True
        self.collection_seconds = time.monotonic() - self._began
        self._watch.ends()
        # The exporter raises nothing itself: what comes out of it was raised by a signal handler of the application's,
        # and is left to it. Nor is a lock needed: exports take turns there.
        with suppress_instrumentation():
            self._exporter.export(metrics_data, timeout_millis=timeout_millis)

    def _ticker(self) -> None:
        if not self._rests:
            self._tick()
        # Where gevent has given this thread another name since it began, it is registered under that, too, for
        # threading to find it when it ends.
        threading.current_thread()

    def _tick(self) -> None:
        self._watch.start()
        wait = self._random() * self._export_interval_millis / 1000
        start = ApplicationStart() if self._lets_start else None
        with suppress(RuntimeError, MemoryError):  # no thread can be had: the first export imports what it needs
            _thread.start_new_thread(self._prepare, (wait / 2, start))
        process = os.getpid()
        while not self._shutdown_event.wait(wait):
            if os.getpid() != process:
                return  # a greenlet lives on in a forked child, which has a thread of its own
            if not self._has_provider() or (start and not start.wait(self._ends.wait)):
                wait = _UNTIL_THERE_IS_A_PROVIDER
            else:
                self._collect_and_export(self._export_timeout_millis)
                wait = self._export_interval_millis / 1000
        if self._has_provider():
            self._collect_and_export(self._pusher.exit_time.left * 1000)
        self._watch.stop()

    def _has_provider(self) -> bool:
        return getattr(self, "_collect", True) is not None  # where that cannot be known, it mostly has one

    def _prepare(self, wait: float, start: ApplicationStart | None) -> None:
        """Have the exporter import what it needs while the first wait goes by.

        Not at once: a process that ends soon should not pay for it, and gevent has to patch first.
        """
        if not self._ends.wait(wait) and (not start or start.wait(self._ends.wait)):
            self._pusher.prepare(self._ends.wait)

    def _collect_and_export(self, timeout_millis: float) -> None:
        said = ""
        self._watch.begins()
        try:
            self.collect(timeout_millis=timeout_millis)
        except BaseException as error:  # noqa: BLE001 - sys.exit() in a callback must not end all metrics silently
            said = type(error).__name__
            if said != self._said:
                _logger.warning(
                    "Metrics were not collected: observable callbacks of the application took too long, or raised (%s)",
                    said,
                )
        finally:
            self._said = said
            self._watch.ends()
