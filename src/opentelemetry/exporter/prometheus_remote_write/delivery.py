"""Requests out: in order, within the export's deadline, and kept while the receiver is away.

What is delivered is a backlog of exports, oldest first; a new export is put behind the others. The requests of one
export hold different series, so several may be under way together; those of the next begin when all of them are
answered. So the samples of a series always arrive in order.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context

from opentelemetry.exporter.prometheus_remote_write.backlog import Backlog, Waiting
from opentelemetry.exporter.prometheus_remote_write.delivery_log import DeliveryLog, Outcome
from opentelemetry.exporter.prometheus_remote_write.encoding.request import Request
from opentelemetry.exporter.prometheus_remote_write.errors import Retryable
from opentelemetry.exporter.prometheus_remote_write.retry import Backoff
from opentelemetry.exporter.prometheus_remote_write.sender import Limits, Receiver, Sender
from opentelemetry.exporter.prometheus_remote_write.settings import Settings


class Delivery:
    """Delivers exports.

    Args:
        receiver: Where they go.
        settings: Timeout, retry, batching and what is kept.
        compress: Makes a body of a message.
        clock: Seconds that only go up.
        random: A number from 0 to 1.

    Attributes:
        samples: How many samples and histograms were ``accepted``, ``rejected`` or dropped (by reason) so far. What is
            none of these is waiting.
    """

    def __init__(
        self,
        receiver: Receiver,
        settings: Settings,
        compress: Callable[[bytes], bytes],
        *,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock
        self._max_concurrent = settings.max_concurrent_requests
        self._backlog = Backlog(settings.max_buffered_bytes, settings.max_buffered_age / 1000)
        self._log = DeliveryLog()
        self._wake = threading.Event()
        self._closed = False
        self._latest = math.inf
        self._not_before = -math.inf
        self._sender = Sender(
            receiver,
            timeout=settings.timeout,
            backoff=Backoff(settings.min_backoff / 1000, settings.max_backoff / 1000),
            may_fall_back=settings.protocol == "auto",
            compress=compress,
            clock=clock,
            pause=self._pause,
            random=random,
        )
        self.samples = self._sender.samples

    @property
    def protocol(self) -> str:
        """The version in which the next export is best encoded."""
        return self._sender.protocol

    @property
    def max_samples(self) -> int | None:
        """The largest request that the receiver takes, where it has refused a larger one."""
        return self._sender.max_samples

    @property
    def waiting(self) -> int:
        """How many samples and histograms are to be sent again."""
        return self._backlog.samples

    def deliver(self, requests: Sequence[Request], deadline: float, patience: float = math.inf) -> bool:
        """Deliver what is waiting, then an export.

        Args:
            requests: The export; no series is in two of them.
            deadline: When the last attempt ends, by the clock.
            patience: When the last attempt begins, where the export can wait for the next interval.

        Returns:
            Whether all that was waiting, and the export, is accepted now.
        """
        now = self._clock()
        # While the receiver is away one attempt shows whether it is back; what is kept can wait.
        patience = min(patience, now) if self._backlog else patience
        limits = Limits(min(deadline, self._latest), patience if self._backlog.keeps else math.inf)
        rejected = self.samples["rejected"]
        self._backlog.add(Waiting(now, list(requests)))
        if now >= self._not_before:
            self._drain(limits)
        dropped = self._backlog.trim(self._clock())
        self.samples += dropped
        errors, self._sender.errors = self._sender.errors, []
        rejected = self.samples["rejected"] - rejected
        self._log.report(Outcome(errors, rejected, dropped, self.waiting), self._clock())
        return not (errors or dropped or self._backlog)

    def hurry(self, latest: float) -> None:
        """End what is under way by some time, and all that comes.

        Args:
            latest: By the clock.
        """
        self._latest = latest
        self._wake.set()

    def close(self) -> None:
        """Give up what is waiting; no attempt begins any more."""
        self._closed = True
        self._wake.set()
        self.samples["dropped at exit"] += self._backlog.clear()

    def after_fork(self) -> None:
        """In a forked child: what was waiting is the parent's to send."""
        self._backlog.clear()

    def _drain(self, limits: Limits) -> None:
        while self._backlog and not self._closed:
            export = self._backlog.oldest()
            left = self._send(export.requests, limits)
            if left:
                self._backlog.put_back(Waiting(export.since, left))
                self._note_retry_after()
                return
            # It has answered, so what follows may be tried as often as it takes.
            limits = limits._replace(patience=max(limits.patience, limits.deadline))

    def _note_retry_after(self) -> None:
        refusals = [error for error in self._sender.errors if isinstance(error, Retryable)]
        wait = max((error.retry_after or 0.0 for error in refusals), default=0.0)
        self._not_before = self._clock() + wait

    def _send(self, requests: Sequence[Request], limits: Limits) -> list[Request]:
        """Send the requests of one export, several at once; returns what is left, in order."""
        waiting = deque(enumerate(requests))
        left: list[tuple[int, list[Request]]] = []
        lock = threading.Lock()

        def work() -> None:
            while not left:
                with lock:
                    if not waiting:
                        return
                    position, request = waiting.popleft()
                if remains := self._sender.send(request, limits):
                    left.append((position, remains))

        if waiting and not self._sender.knows_protocol:
            position, request = waiting.popleft()
            if remains := self._sender.send(request, limits):
                left.append((position, remains))
        _together(work, min(self._max_concurrent, len(waiting)))
        left += [(position, [request]) for position, request in waiting]
        return [request for _, remains in sorted(left, key=lambda item: item[0]) for request in remains]

    def _pause(self, seconds: float) -> bool:
        if self._wake.wait(seconds) and not self._closed:
            self._wake.clear()
        return self._closed or self._clock() >= self._latest


def _together(work: Callable[[], None], workers: int) -> None:
    """Do some work in several threads at once, of which this is one."""
    threads = []
    for _ in range(workers - 1):
        # In a copy of this context, so that instrumentation is suppressed there, too.
        thread = threading.Thread(target=copy_context().run, args=(work,), name="prometheus-remote-write", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # at the interpreter's exit no thread can be started
            break
        threads.append(thread)
    work()
    for thread in threads:
        thread.join()
