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
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextvars import copy_context

from ..configuration.settings import Settings
from ..encoding.compression import Compress
from ..errors import Retryable, SendError, Unsendable
from ..model.request import Request
from .backlog import Backlog, Queue
from .log import DeliveryLog, Outcome
from .retry import Backoff
from .sender import Limits, Receiver, Sender

_LONGEST_SILENCE = 300.0  # seconds; a Retry-After of days is a mistake, and must not end the metrics


class Delivery:
    """Delivers exports.

    Args:
        receiver: Where they go.
        settings: Timeout, retry, batching and what is kept.
        compress: Makes the body of a message.
        clock: Seconds that only go up.
        wait: Waits until an event is set, or some seconds; returns whether it is set.
        random: A number from 0 to 1.

    Attributes:
        samples: How many samples and histograms were ``accepted``, ``rejected`` or dropped (by reason) so far. What is
            none of these is waiting.
    """

    def __init__(  # noqa: PLR0913 - what it needs from outside
        self,
        receiver: Receiver,
        settings: Settings,
        compress: Compress,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock
        self._wait = wait
        self._max_concurrent = settings.max_concurrent_requests
        self._backlog = Backlog(settings.max_buffered_bytes, settings.max_buffered_age / 1000)
        self._log = DeliveryLog()
        self._busy = threading.Lock()
        self._wake = threading.Event()
        self._closed = False
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
            patience: When to leave the rest to the next export, by the clock: nothing is repeated later, and no export
                that had waited begins. Infinity where there is no next export.

        Returns:
            Whether all that was waiting, and the export, is accepted now.
        """
        with self._busy:
            complete = self._deliver(requests, deadline, patience)
        if self._closed:
            self._give_up()
        return complete

    def cut_short(self, latest: float) -> None:
        """End what is under way by some time, and all that comes.

        Args:
            latest: By the clock; infinity lets all take its time again.
        """
        self._sender.latest = latest
        if latest == math.inf:
            self._wake.clear()
        else:
            self._wake.set()

    def close(self) -> None:
        """Give up what is waiting; no attempt begins any more."""
        self._closed = True
        self.cut_short(-math.inf)
        self._give_up()

    def _give_up(self) -> None:
        """Drop what is waiting, or leave that to the export that is under way."""
        if self._busy.acquire(blocking=False):
            try:
                if dropped := self._backlog.clear():
                    self.samples["at exit"] += dropped
                    self._log.report(Outcome([], [], 0, Counter({"at exit": dropped}), 0), self._clock())
            finally:
                self._busy.release()

    def _deliver(self, requests: Sequence[Request], deadline: float, patience: float) -> bool:
        now = self._clock()
        self._backlog.add(now, requests)
        rejected = self.samples["rejected"]
        if now >= self._not_before or patience == math.inf:
            self._drain(deadline, patience if self._backlog.keeps else math.inf)
        dropped = self._backlog.trim(self._clock())
        self.samples.update(dropped)
        errors, self._sender.errors = self._sender.errors, []
        bad_series, self._sender.bad_series = self._sender.bad_series, []
        rejected = self.samples["rejected"] - rejected
        self._log.report(Outcome(errors, bad_series, rejected, dropped, self.waiting), self._clock())
        return not (errors or dropped) and self._backlog.is_empty

    def _drain(self, deadline: float, patience: float) -> None:
        for queue in self._backlog.queues:
            self._drain_queue(queue, deadline, patience)
            if queue.blocked and not all(map(_is_of_one_request, self._sender.errors)):
                return

    def _drain_queue(self, queue: Queue, deadline: float, patience: float) -> None:
        while queue.exports and not self._closed:
            # While the receiver is away one attempt shows whether it is back; what is kept can wait.
            probes = queue.blocked and patience < math.inf
            limits = Limits(deadline, -math.inf if probes else patience)
            left = self._send(queue.exports[0].requests, limits, first_alone=queue.blocked)
            queue.replace_oldest(left)
            queue.blocked = bool(left)
            if left:
                self._heed_retry_after()
            if left or self._clock() >= patience:
                return

    def _heed_retry_after(self) -> None:
        waits = [error.retry_after or 0.0 for error in self._sender.errors if isinstance(error, Retryable)]
        self._not_before = self._clock() + min(max(waits, default=0.0), _LONGEST_SILENCE)

    def _send(self, requests: Sequence[Request], limits: Limits, *, first_alone: bool) -> list[Request]:
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

        if first_alone or self._sender.tries_protocol(requests[0]):
            position, request = waiting.popleft()
            if remains := self._sender.send(request, limits):
                left.append((position, remains))
        if not left:
            _together(work, min(self._max_concurrent, len(waiting)))
        left += [(position, [request]) for position, request in waiting]
        return [request for _, remains in sorted(left, key=lambda item: item[0]) for request in remains]

    def _pause(self, seconds: float) -> bool:
        if self._clock() < self._sender.latest and self._wait(self._wake, seconds) and not self._closed:
            self._wake.clear()
        return self._clock() >= self._sender.latest


def _is_of_one_request(error: SendError) -> bool:
    """Whether another request may be accepted all the same: the receiver was there, and did not ask to wait."""
    if isinstance(error, Retryable):
        return error.status is not None and not error.retry_after
    return not isinstance(error, Unsendable)


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
    try:
        work()
    finally:
        for thread in threads:
            thread.join()
