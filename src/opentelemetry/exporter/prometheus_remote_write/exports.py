"""Exports, one at a time: from the first, which creates the data path, to the one at exit."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from opentelemetry.sdk.metrics.export import MetricsData

from .configuration.settings import Settings
from .delivery.retry import Pace
from .delivery.window import Window
from .journal import Journal
from .late_data_path import LateDataPath
from .lifecycle.birth import Birth, generated_id
from .lifecycle.exit_time import ExitTime
from .lifecycle.gevent_patches import has_green_exports, has_green_threads, is_patching, waits_for_workers
from .lifecycle.instance_id import Instance, host_name
from .lifecycle.overtaking import collection_began
from .lifecycle.reader_watch import ReaderWatch
from .lifecycle.readers import collection, export_in_background, have_ended, interval, join_ended
from .lifecycle.sdk_internals import let_in, readers_of, renew_after_fork
from .lifecycle.turns import Turns
from .lifecycle.undisturbed import undisturbed
from .lifecycle.uwsgi import inherits_counts, time_for_exit
from .messages.own_logger import OwnLogger
from .messages.shown import shown_url
from .model.timestamps import NANOSECONDS_PER_MILLISECOND
from .model.transport import BaseTransport
from .system.bounded_call import bounded_call
from .system.flag import Flag
from .translation.dropped_points import DroppedPoints

if TYPE_CHECKING:
    from .data_path import DataPath

_logger = OwnLogger(__name__)

_USUAL_INTERVAL = 60_000  # milliseconds: the SDK's default
_TO_FORK = 1.0  # seconds: the longest that a fork waits for an export
_TO_GIVE_UP = 0.2  # seconds that an interrupted export may take to notice
_A_MILLISECOND = 0.001  # seconds


class Exports:
    """Sends export after export, and ends them; no method raises.

    Args:
        exporter: Whose readers request exports.
        settings: The exporter's.
        transport: Carries requests; None is HTTP.
        birth: The exporter's.
        exit_time: How much time they may still add to the end of the process.
        resources_as_labels: Whether every resource attribute is copied onto every series.
        sleep: Waits for some seconds.

    Attributes:
        accepted: Whether the last export was accepted, including what had been waiting.
        dropped: Where dropped points are counted.
        exit_time: How much time they may still add to the end of the process.
        has_ended: Whether later exports send nothing.
        journal: Records them.
        path: Sends them.
    """

    def __init__(  # noqa: PLR0913 - what its exporter was given, and what it noted
        self,
        exporter: object,
        settings: Settings,
        transport: BaseTransport | None,
        *,
        birth: Birth,
        exit_time: ExitTime,
        resources_as_labels: bool,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._exporter = exporter
        self._settings = settings
        self._sleep = sleep
        self._exit_seconds = settings.shutdown_timeout / 1000
        self._pace = Pace((settings.interval or _USUAL_INTERVAL) / 1000)
        fixed = host_name if settings.instance == "host" else str
        self._instance = Instance(shown_url(settings.endpoint), generated_id, fixed=fixed, birth=birth)
        self._prometheus_client = None
        if settings.prometheus_client:
            from .prometheus_client.source import Source  # noqa: PLC0415 - only where that is wanted

            self._prometheus_client = Source(settings.prometheus_client)
        self.dropped = DroppedPoints()
        self.path = LateDataPath(
            settings, self.dropped, transport, began=birth.time, resources_as_labels=resources_as_labels
        )
        self.journal = Journal(
            settings,
            self.dropped,
            lambda: self.path.made,
            partial(interval, exporter),
            partial(collection, exporter),
            os.environ,
        )
        self._watch = ReaderWatch(exporter)
        self._turns = Turns(self.path.resume)
        self._is_doubtful = False
        self._newest = -math.inf  # when the newest collection that was exported began
        self.exit_time = exit_time
        self.accepted = True
        self.has_ended = False

    @property
    def under_way(self) -> Flag | None:
        """The export in progress: a flag that is set at its end."""
        return self._turns.under_way

    def export(self, metrics_data: MetricsData, timeout: float) -> bool:
        """Send what was collected, when it is its turn.

        Args:
            metrics_data: What the SDK collected.
            timeout: For everything, in seconds.

        Returns:
            Whether the receiver accepted all of it, and everything that was waiting before it.
        """
        self._watch.start()
        try:
            return self._turns.take(partial(self._export, metrics_data, timeout, threading.current_thread()))
        except MemoryError:
            return False

    def cut_short(self, seconds: float) -> None:
        """End the export in progress, so that a newer one can follow; later exports are not affected.

        Args:
            seconds: After which its waits are interrupted.
        """
        if turn := self._turns.under_way:
            undisturbed(partial(self._cut_short, turn, seconds))

    def end(self, seconds: float) -> None:
        """Shut down: mark every series as stale, if that is enabled, and send nothing more.

        Args:
            seconds: For stale markers, within the exit time.
        """
        if not self.has_ended:
            self.has_ended = True
            self.exit_time.begin()
            seconds = max(min(seconds, self.exit_time.left), 0.0)
            end = time.monotonic() + seconds
            turn = self._turns.under_way
            # Wait for an export in progress only if stale markers have to follow it.
            if turn is None or (self._settings.stale_markers and turn.wait(seconds)):
                self._turns.take(partial(self._end_series, end))
        if self.path.made:
            self.path.give_up()
            if turn := self._turns.under_way:
                self._turns.during(turn, self._interrupt)
                turn.wait(_TO_GIVE_UP)
        if not join_ended(self._exporter, _TO_GIVE_UP):  # a reader's thread logs what is lost, if it gets that far
            _logger.warning("Metrics are lost: the last collection or export did not end within SHUTDOWN_TIMEOUT")
        self._watch.stop()
        if self.path.made:
            self.path.close()
        if self._prometheus_client:
            self._prometheus_client.release()
        self._instance.release()

    def before_fork(self) -> None:
        """Wait for a greenlet's export, which would continue in the forked child, on its parent's connection."""
        if (turn := self._turns.under_way) and has_green_exports():
            turn.wait(_TO_FORK)

    def after_fork(self) -> None:
        """Replace what cannot be shared with the parent; called in a forked child."""
        # First, before the SDK's own handlers start a thread that exports.
        self._instance.after_fork(renew_after_fork(self._exporter, counts_on=inherits_counts()))
        self._turns = Turns(self.path.resume)
        self.exit_time = ExitTime(time_for_exit(self._exit_seconds))
        if self._prometheus_client:
            self._prometheus_client.after_fork()
        self.journal.after_fork()
        self.path.after_fork()
        self.dropped.after_fork()

    def _export(self, metrics_data: MetricsData, timeout: float, thread: threading.Thread) -> bool:
        """Export in turn, on behalf of the thread that requested it."""
        let_in(self._exporter)
        if self.has_ended:  # while waiting for its turn
            self.accepted = False
            _logger.warning("Metrics are lost: the exporter was shut down before they could be exported")
            return False
        accepted, self.accepted = self.accepted, False  # until it ends
        if self._is_overtaken(metrics_data):
            self.accepted = accepted
            return accepted
        began, at = time.monotonic(), time.time_ns()
        try:
            if self._is_doubtful:
                self.path.renew()
            self._is_doubtful = True  # until it ends, the kept state may be inconsistent
            in_background = export_in_background(self._exporter, thread)
            self.accepted = self._deliver(metrics_data, timeout, in_background=in_background)
            self._is_doubtful = False
        except Exception as error:  # noqa: BLE001 - telemetry never raises into the application
            # The error's text may contain anything, so only its type is logged.
            _logger.error("Export failed: internal exporter error (%s)", type(error).__name__)  # noqa: TRY400
        self.journal.note(time.monotonic() - began, accepted=self.accepted)
        if time.time_ns() // NANOSECONDS_PER_MILLISECOND == at // NANOSECONDS_PER_MILLISECOND:
            # Timestamps are milliseconds, and a receiver refuses a second value for one: the next one is later.
            self._sleep(_A_MILLISECOND)
        return self.accepted

    def _is_overtaken(self, metrics_data: MetricsData) -> bool:
        """Return whether a later collection of the only reader, which says more, was exported before this one."""
        began = collection_began(metrics_data)
        if began < self._newest and len(readers_of(self._exporter)) == 1:
            return True
        self._newest = max(began, self._newest)
        return False

    def _deliver(self, metrics_data: MetricsData, timeout: float, *, in_background: bool) -> bool:
        is_end = have_ended(self._exporter)
        if not self.path.made and not is_end and (waits_for_workers() or is_patching()):
            return True  # it serves no reader yet, and its imports have to come after the patches
        if is_end:
            # The SDK gives the last export its interval as timeout, which may be much less than is left.
            self.exit_time.begin()
            timeout = math.inf
        with self.exit_time.counted():  # the first export imports what it needs
            data_path = self._ready_at_exit() if self.exit_time.has_begun else self.path.ready()
        if not data_path:
            return False
        is_last = self.exit_time.has_begun
        if is_last:
            timeout = min(timeout, self.exit_time.for_requests)
        window = self._window(timeout, is_last=is_last, in_background=in_background)
        with self.exit_time.counted():
            identified = self._instance.identified(metrics_data)
            collected = None
            if self._prometheus_client:
                collected = self._prometheus_client.collect(identified, self._instance.group, timeout, last=is_last)
            try:
                return data_path.send(identified, collected, window)
            finally:
                self._pace.end(time.monotonic())

    def _window(self, timeout: float, *, is_last: bool, in_background: bool) -> Window:
        """Return how long an export that begins now may take."""
        now = time.monotonic()
        retry_until = self._pace.begin(now)
        deadline = now + timeout
        if is_last:  # nothing can be left to a next export, and the process waits for this one
            return Window(deadline, retry_until=deadline, is_last=True)
        return Window(deadline, retry_until, gives_way=in_background)

    def _ready_at_exit(self) -> DataPath | None:
        """Return the data path; None if its imports take longer than what is left of the exit time."""
        ready = partial(self.path.ready, at_exit=True)
        if self.path.made or has_green_threads():  # gevent's import locks do not work across threads
            return ready()
        try:
            return bounded_call(self, ready, max(self.exit_time.for_requests, _TO_GIVE_UP / 2))
        except TimeoutError:
            _logger.warning("Metrics are lost: what an export needs could not be imported before the process ended")
            return None

    def _cut_short(self, turn: Flag, seconds: float) -> None:
        with self.exit_time.counted():
            began = time.monotonic()
            self._turns.during(turn, partial(self.path.cut_short, began + seconds))
            if not turn.wait(seconds):
                self._turns.during(turn, self._interrupt)
                # An export that does not notice in time, on a busy machine, still notices later.
                turn.wait(_TO_GIVE_UP)

    def _interrupt(self) -> None:
        if self._prometheus_client:
            self._prometheus_client.interrupt()
        self.path.interrupt()

    def _end_series(self, end: float) -> None:
        try:
            source = self._prometheus_client if self._settings.stale_markers else None
            leaves_shared = source is not None and source.leaves_to_others()
            self.accepted = self.path.end_series(end, leaves_shared=leaves_shared) and self.accepted
        except Exception as error:  # noqa: BLE001 - telemetry never raises into the application
            _logger.error("Stale markers were not sent: internal exporter error (%s)", type(error).__name__)  # noqa: TRY400
