"""Requests out: in order, within the export's deadline, and kept while the receiver is away.

A backlog holds the exports, oldest first; a new export goes to its end. The requests of one export hold different
series, so several can be in flight together; the next export's begin when all of them are answered. So the samples of a
series always arrive in order.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..configuration.settings import Settings
from ..encoding.compression import Compress
from ..errors import Retryable, SendError, Unsendable
from ..model.outcome import Outcome
from ..model.request import Request
from ..model.transport import BaseTransport
from ..system.flag import Flag
from ..system.worker import together
from .backlog import Backlog, Queue
from .exchange import Exchange
from .log import DeliveryLog, Report
from .retry import Backoff
from .sender import Sender
from .tally import Tally
from .traffic import Traffic
from .window import Window

if TYPE_CHECKING:
    from .disk_buffer.disk_buffer import DiskBuffer

_SLOW = 0.05  # seconds for one request: if it takes longer, more threads are worth it
_LONGEST_SILENCE = 300.0  # seconds; a Retry-After of days is a mistake, and must not end the metrics


class Delivery:
    """Delivers exports.

    Args:
        transport: Carries requests.
        settings: Timeout, retries, batching and the backlog's bounds.
        compress: Compresses a message into a body.
        clock: Monotonic seconds.
        wall_clock: Seconds since the epoch, the clock of the samples' timestamps.
        wait: Waits until a flag is set, or some seconds; returns whether it is set.
        random: A number from 0 to 1.

    Attributes:
        samples: Samples and histograms so far by outcome. Those without one are waiting.
        points: The application's data points so far by outcome.
        traffic: What went over the wire so far.
        backlog: The waiting requests.
        last_error: Why a request of the last export was not accepted; None if all were.
    """

    def __init__(  # noqa: PLR0913 - what it needs from outside
        self,
        transport: BaseTransport,
        settings: Settings,
        compress: Compress,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        wait: Callable[[Flag, float], bool] = Flag.wait,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._wait = wait
        self._max_concurrent = settings.max_concurrent_requests
        self.backlog = Backlog(settings.max_buffered_bytes, settings.max_buffered_age / 1000)
        self._disk_buffer: DiskBuffer | None = None
        if settings.buffer_directory and self.backlog.keeps:
            from .disk_buffer.addressee import addressee  # noqa: PLC0415 - only where that is wanted
            from .disk_buffer.disk_buffer import DiskBuffer  # noqa: PLC0415 - the same
            from .disk_buffer.durable import DurableBacklog  # noqa: PLC0415 - the same

            durable = DurableBacklog(
                settings.buffer_directory, addressee(settings), settings.max_buffered_bytes, wall_clock
            )
            self._disk_buffer = DiskBuffer(self.backlog, durable, clock)
        self._log = DeliveryLog()
        self._tally = Tally()
        self._busy = threading.Lock()
        self._wake = Flag()
        self._closed = False
        self._not_before = -math.inf
        self._newest = -math.inf
        self.last_error: SendError | None = None
        self.traffic = Traffic()
        self._exchange = Exchange(
            transport,
            timeout=settings.timeout,
            backoff=Backoff(settings.min_backoff / 1000, settings.max_backoff / 1000),
            clock=clock,
            pause=self._pause,
            random=random,
            traffic=self.traffic,
            on_failure=self._log.first_failure,
        )
        self._sender = Sender(
            self._exchange,
            self._tally,
            may_fall_back=settings.protocol == "auto",
            compress=compress,
            clock=clock,
        )
        self.samples = self._tally.samples
        self.points = self._tally.points

    @property
    def protocol(self) -> str:
        """The protocol version in which to encode the next export."""
        return self._sender.protocol

    @property
    def waiting_seconds(self) -> float:
        """How many seconds the oldest request has been waiting."""
        oldest = self.backlog.oldest
        return 0.0 if oldest is None else max(self._clock() - oldest, 0.0)

    def deliver(self, requests: Sequence[Request], window: Window) -> bool:
        """Deliver the backlog, then an export.

        Args:
            requests: The export; no series is in two of them.
            window: How long it may take.

        Returns:
            Whether the backlog and the export are both accepted now.
        """
        with self._busy:
            complete = self._deliver(requests, window)
        if self._closed:
            self._give_up()
        return complete

    def cut_short(self, latest: float) -> None:
        """End the export in progress, and all until :meth:`resume`, by some time of the clock."""
        self._exchange.latest = latest
        self._wake.set()

    def resume(self) -> None:
        """Let exports take their full time again."""
        self._exchange.latest = math.inf
        self._wake.clear()

    def close(self) -> None:
        """Give up the backlog; no further attempt begins."""
        self._closed = True
        self.cut_short(-math.inf)
        self._give_up()

    def writes_as(self, writer: str) -> None:
        """Set who writes the series: processes of the same writer never run at the same time."""
        if self._disk_buffer:
            self._disk_buffer.writes_as(writer)

    def after_fork(self) -> None:
        """Leave the buffer on disk to the parent; called in a forked child, which then creates its own delivery."""
        if self._disk_buffer:
            self._disk_buffer.abandon()

    def _give_up(self) -> None:
        """Drop the backlog, or leave that to the export in progress."""
        if self._busy.acquire(blocking=False):
            try:
                if self._disk_buffer:
                    self._disk_buffer.keep()
                if dropped := self.backlog.clear():
                    for request in dropped:
                        self._tally.count(Outcome.AT_EXIT, request)
                    self._report()
            finally:
                self._busy.release()

    def _deliver(self, requests: Sequence[Request], window: Window) -> bool:
        now = self._clock()
        found = self._disk_buffer is not None and self._disk_buffer.look()
        waited = found or not self.backlog.is_empty
        self._trim()  # first, because it is sent before what is new
        self.backlog.add(now, requests)
        if not self.backlog.keeps:
            window = window._replace(retry_until=window.deadline)  # nothing is left to the next export
        if now >= self._not_before or window.is_last or not self.backlog.keeps:
            self._drain(window)
            while self._disk_buffer and self._clock() < window.retry_until and self._disk_buffer.look_for_more():
                self._trim()
                self._drain(window)
        self._trim()
        if self._disk_buffer:
            self._disk_buffer.mirror()
            if waited and self.backlog.is_empty:
                self._disk_buffer.look_again()
        report = self._report()
        self.last_error = report.errors[0] if report.errors else None
        return not (report.errors or report.dropped) and self.backlog.is_empty

    def _trim(self) -> None:
        for outcome, request in self.backlog.trim(self._clock()):
            self._tally.count(outcome, request)

    def _report(self) -> Report:
        """Log what was noted since the last report."""
        errors, bad_series, samples = self._tally.take()
        set_back = max(self._newest - self._wall_clock(), 0.0)
        if samples[Outcome.ACCEPTED]:
            self._newest = max(self._newest, self._wall_clock())
        report = Report(errors, bad_series, samples, self.backlog.samples, set_back)
        self._log.report(report, self._clock())
        return report

    def _drain(self, window: Window) -> None:
        for queue in self.backlog.queues:
            self._drain_queue(queue, window)
            if queue.blocked and not all(map(_is_of_one_request, self._tally.errors)):
                return

    def _drain_queue(self, queue: Queue, window: Window) -> None:
        while queue.exports and not self._closed:
            if self._disk_buffer and self._disk_buffer.is_held_back(queue.exports[0].since):
                return
            # While the receiver is unavailable, one attempt shows whether it is back; the backlog can wait.
            probes = queue.blocked and self.backlog.keeps and not window.is_last
            own = window.probing(self._clock()) if probes else window
            sent = queue.exports[0].requests
            left = self._send(sent, own, first_alone=queue.blocked)
            queue.replace_oldest(left)
            if self._disk_buffer and not left:
                self._disk_buffer.forget(sent)
            queue.blocked = bool(left)
            if left:
                self._heed_retry_after()
            if left or self._clock() >= window.retry_until:
                return

    def _heed_retry_after(self) -> None:
        waits = [error.retry_after or 0.0 for error in self._tally.errors if isinstance(error, Retryable)]
        self._not_before = self._clock() + min(max(waits, default=0.0), _LONGEST_SILENCE)

    def _send(self, requests: Sequence[Request], window: Window, *, first_alone: bool) -> list[Request]:
        """Send the requests of one export, several at once; returns what is left, in order.

        Each thread that sends takes the interpreter's lock from the others and from the application. Where that goes
        first there is one thread, until the receiver proves to be slow.
        """
        waiting = deque(enumerate(requests))
        left: list[tuple[int, list[Request]]] = []
        lock = threading.Lock()

        def send_next() -> float:
            began = self._clock()
            with lock:
                if not waiting:
                    return 0.0
                position, request = waiting.popleft()
            if remains := self._sender.send(request, window):
                left.append((position, remains))
            return self._clock() - began

        def work() -> None:
            while waiting and not left:
                send_next()

        if first_alone or self._sender.tries_protocol(requests[0]):
            send_next()
        while window.gives_way and waiting and not left and send_next() < _SLOW:
            pass
        if not left:
            together(work, min(self._max_concurrent, len(waiting)))
        left += [(position, [request]) for position, request in waiting]
        return [request for _, remains in sorted(left, key=lambda item: item[0]) for request in remains]

    def _pause(self, seconds: float) -> bool:
        if self._clock() < self._exchange.latest and self._wait(self._wake, seconds) and not self._closed:
            self._wake.clear()
        return self._clock() >= self._exchange.latest


def _is_of_one_request(error: SendError) -> bool:
    """Return whether another request may still be accepted: the receiver answered, and did not ask us to wait."""
    if isinstance(error, Retryable):
        return error.status is not None and not error.retry_after
    return not isinstance(error, Unsendable)
