"""The controller: the SDK's periodic reader, with jitter and a bounded shutdown.

The reader of opentelemetry-sdk 1.45 first waits a whole interval, so workers that start together push together; and its
shutdown waits up to 30 seconds for an export in progress.
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
from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics

from ..messages.own_logger import OwnLogger
from ..system.bounded_call import Waiter, bounded_call
from .application_start import ApplicationStart
from .collection_watch import CollectionWatch
from .ending import Pusher
from .gevent_patches import starts_threads_after_forks
from .sdk_internals import HookedReader, end, is_ended, is_ticking, resource_of
from .uwsgi_embeds import uwsgi_may_embed

_logger = OwnLogger(__name__)

_NEVER = 2**31 - 1  # milliseconds, about 25 days: an interval that never ends

_UNTIL_THERE_IS_A_PROVIDER = 0.01  # seconds; it is created right after its reader


class Controller(HookedReader):
    """Collects and exports once per interval, the first time at a random moment within the first interval.

    Args:
        exporter: Our exporter: a ``MetricExporter`` that is also a :class:`Pusher`; None for the prepared one.
        export_interval_millis: Milliseconds; 0 exports only at the end.
        random: A number from 0 to 1.
        lets_start: Whether to let the application start first, as under the launcher.

    Attributes:
        prepared: The exporter and the interval of the controller that the SDK builds under the launcher. The SDK finds
            the class by name, and can pass arguments only from 1.35 on; a later version may do so differently.
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
        # Before the SDK's constructor, which starts the thread.
        self._pusher: Pusher = exporter
        self._random = random if export_interval_millis else lambda: 1.0
        export_interval_millis = export_interval_millis or _NEVER
        self.collection_seconds: float | None = None
        self._collecting: dict[int, float] = {}  # when threads began to collect, several at a time
        self._watch = CollectionWatch(export_interval_millis / 1000)
        self._last_failure = ""
        self._is_late = False
        self._lets_start = lets_start
        self._ends = Waiter()
        self._rests = False
        if uwsgi_may_embed():
            from .uwsgi import threads_wait  # noqa: PLC0415 - only there

            self._rests = threads_wait(self.on_fork)
        super().__init__(exporter, export_interval_millis)

    def on_fork(self) -> None:
        """Start the thread of a forked child, unless gevent needs it to start later."""
        self._rests = False
        # gevent's own handler runs after this one, and requires that there is only the main thread.
        self._is_late = starts_threads_after_forks()
        if not self._is_late:
            self.start_thread()

    def start_late(self) -> None:
        """Start the thread if the fork has not done so."""
        if self._is_late:
            self._is_late = False
            self.start_thread()

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Collect and export once more, and end, within what is left of the exporter's exit time."""
        if self.was_shut_down:
            return
        self.start_late()  # the thread does the last collection
        exit_time = self._pusher.exit_time
        self._ends.end()
        exit_time.begin()
        with suppress(TimeoutError), exit_time.counted():
            # Now, unless it was done before; the rest of the time is for the export.
            bounded_call(self, self._pusher.prepare_for_exit, exit_time.left / 2)
        seconds = min(max(timeout_millis / 1000, 0.0), exit_time.left)
        deadline = time.monotonic() + seconds
        if not is_ended(self):
            has_thread = is_ticking(self)
            # In this order: what the thread collects from now on is the last export, which is not cut short.
            end(self)
            self._pusher.cut_short(seconds / 2)
            if not has_thread:
                self._collect_and_export(exit_time.left * 1000)
        super().shutdown(timeout_millis=max(deadline - time.monotonic(), 0.0) * 1000, **kwargs)
        self._watch.stop()

    def on_meter_provider(self, meter_provider: MeterProvider) -> None:
        """Report on the exporter by the provider that the reader serves."""
        self._pusher.set_meter_provider(meter_provider)

    def collect(self, timeout_millis: float = 10_000) -> None:  # type: ignore[misc]  # final, but a hook is missing
        """Collect and export; if nothing was measured, export that, so that an idle application is seen to live."""
        here = threading.get_ident()
        self._collecting[here] = time.monotonic()
        super().collect(timeout_millis=timeout_millis)
        if self._collecting.pop(here, None) and (resource := resource_of(self)):
            nothing = MetricsData([ResourceMetrics(resource, [], resource.schema_url)])
            self._receive_metrics(nothing, timeout_millis=timeout_millis)

    # Private only by name: the SDK documents it as the method that a reader overrides.
    def _receive_metrics(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_kwargs: Any) -> None:
        if began := self._collecting.pop(threading.get_ident(), None):
            self.collection_seconds = time.monotonic() - began
        self._watch.ends()
        # The exporter itself raises nothing: an exception comes from a signal handler of the application, and is the
        # application's. No lock is needed, because the exporter serializes exports.
        with suppress_instrumentation():
            self.exporter.export(metrics_data, timeout_millis=timeout_millis)

    def tick(self) -> None:
        """Collect once per interval until the end, unless no thread may run here."""
        if not self._rests:
            self._tick()
        # If gevent or eventlet has renamed this thread since it began, this registers the new name, under which
        # threading looks for it when it ends.
        with suppress(Exception):
            vars(threading)["_active"].setdefault(threading.get_ident(), threading.current_thread())

    def _tick(self) -> None:
        wait = self._random() * self.interval_millis / 1000
        start = ApplicationStart() if self._lets_start else None
        with suppress(RuntimeError, MemoryError):  # without a thread, the first export imports what it needs
            _thread.start_new_thread(self._prepare, (wait / 2, start))
        process, is_watched = os.getpid(), False
        while not self.wait_for_shutdown(wait):
            if os.getpid() != process:
                return  # a greenlet lives on in a forked child, which has a thread of its own
            if not self.has_provider() or (start and not start.wait(self._ends.wait)):
                wait = _UNTIL_THERE_IS_A_PROVIDER
            else:
                if not is_watched:  # not before: it takes a thread, which most starts do without
                    is_watched = True
                    self._watch.start()
                self._collect_and_export(self.collection_timeout_millis)
                wait = self.interval_millis / 1000
        if self.has_provider():
            self._collect_and_export(self._pusher.exit_time.left * 1000)
        self._watch.stop()

    def _prepare(self, wait: float, start: ApplicationStart | None) -> None:
        """Make the exporter import what it needs during the first wait.

        Not at once: a short-lived process should not pay for it, and gevent has to patch first.
        """
        if not self._ends.wait(wait) and (not start or start.wait(self._ends.wait)):
            self._pusher.prepare(self._ends.wait)

    def _collect_and_export(self, timeout_millis: float) -> None:
        failure = ""
        self._watch.begins()
        try:
            self.collect(timeout_millis=timeout_millis)
        except BaseException as error:  # noqa: BLE001 - sys.exit() in a callback must not end all metrics silently
            failure = type(error).__name__
            if failure != self._last_failure:
                _logger.warning(
                    "Metrics were not collected: observable callbacks of the application took too long, or raised (%s)",
                    failure,
                )
        finally:
            self._last_failure = failure
            self._watch.ends()
