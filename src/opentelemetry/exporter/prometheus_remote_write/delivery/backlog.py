"""The backlog of an unavailable receiver: compressed requests, in order, within bounds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import NamedTuple

from ..model.outcome import Outcome
from ..model.request import Request


class WaitingExport(NamedTuple):
    """The requests of one export that are not delivered yet.

    Args:
        since: When they were made, in seconds by the clock.
        requests: Of different series, so their order among themselves does not matter.
    """

    since: float
    requests: deque[Request]


class Queue:
    """Exports to be sent one after the other, oldest first.

    Attributes:
        exports: The waiting exports.
        blocked: Whether the last attempt to deliver the oldest failed.
        bytes: The size of all bodies together.
        samples: How many samples and histograms wait.
        points: How many data points wait.
    """

    def __init__(self) -> None:
        self.exports: deque[WaitingExport] = deque()
        self.blocked = False
        self.bytes = 0
        self.samples = 0
        self.points = 0

    def add(self, since: float, requests: Sequence[Request]) -> None:
        """Append an export."""
        self.exports.append(WaitingExport(since, deque(requests)))
        self._count(requests, 1)

    def add_earlier(self, exports: Iterable[WaitingExport]) -> None:
        """Insert exports by their time, before those of the same time."""
        added = [*exports]
        self.exports = deque(sorted([*added, *self.exports], key=attrgetter("since")))
        for export in added:
            self._count(export.requests, 1)

    def replace_oldest(self, left: Sequence[Request]) -> None:
        """Keep only the rest of the oldest export."""
        oldest = self.exports.popleft()
        self._count(oldest.requests, -1)
        if left:
            self.exports.appendleft(WaitingExport(oldest.since, deque(left)))
            self._count(left, 1)

    def drop_oldest(self) -> Request:
        """Remove one request of the oldest export and return it."""
        requests = self.exports[0].requests
        dropped = requests.popleft()
        self._count([dropped], -1)
        if not requests:
            self.exports.popleft()
        return dropped

    def clear(self) -> None:
        """Drop all."""
        self.exports.clear()
        self.bytes = self.samples = self.points = 0

    def _count(self, requests: Iterable[Request], sign: int) -> None:
        for request in requests:
            self.bytes += sign * len(request.body)
            self.samples += sign * request.size
            self.points += sign * request.points


class Backlog:
    """Keeps exports within bounds by dropping the oldest first.

    Args:
        max_bytes: Of all bodies together. 0 keeps nothing.
        max_age: In seconds. 0 keeps nothing.

    Attributes:
        queues: One for floats and one for native histograms. A receiver without native histograms answers 500 again and
            again; in a queue of their own they block nothing else. No series is in both.
    """

    def __init__(self, max_bytes: int, max_age: float) -> None:
        self._max_bytes = max_bytes if max_age else 0
        self._max_age = max_age
        self.queues = (Queue(), Queue())

    @property
    def samples(self) -> int:
        """How many samples and histograms wait."""
        return sum(queue.samples for queue in self.queues)

    @property
    def points(self) -> int:
        """How many data points wait."""
        return sum(queue.points for queue in self.queues)

    @property
    def bytes(self) -> int:
        """How many bytes the waiting bodies take."""
        return sum(queue.bytes for queue in self.queues)

    @property
    def oldest(self) -> float | None:
        """Since when the oldest has been waiting, in seconds by the clock; None if nothing waits."""
        # Copies, because an export may be in progress in another thread.
        copies = [[*queue.exports] for queue in self.queues]
        return min((exports[0].since for exports in copies if exports), default=None)

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not any(queue.exports for queue in self.queues)

    @property
    def keeps(self) -> bool:
        """Whether anything is kept at all."""
        return self._max_bytes > 0

    def add(self, since: float, requests: Sequence[Request]) -> None:
        """Append the requests of an export.

        Args:
            since: When they were made, in seconds by the clock.
            requests: Of different series.
        """
        for queue in self.queues:
            if own := [request for request in requests if self._queue_of(request) is queue]:
                queue.add(since, own)

    def add_left(self, left: Sequence[tuple[float, Request]], began: float) -> None:
        """Insert the requests of processes that are gone by their time, before all requests of this process.

        Args:
            left: Each with the time since when it has been waiting, in seconds by the clock, oldest first. Requests of
                one time hold different series.
            began: When this process began, in seconds by the clock, which may disagree with the other process's clock.
        """
        for queue in self.queues:
            own = [(since, request) for since, request in left if self._queue_of(request) is queue]
            queue.add_earlier(
                WaitingExport(min(since, began), deque(request for _, request in together))
                for since, together in groupby(own, key=itemgetter(0))
            )

    def waiting(self, now: float) -> list[tuple[float, Request]]:
        """Return all requests, each with the seconds that it has been waiting.

        Args:
            now: By the clock.
        """
        return [
            (now - export.since, request)
            for queue in self.queues
            for export in queue.exports
            for request in export.requests
        ]

    def trim(self, now: float) -> list[tuple[Outcome, Request]]:
        """Drop the oldest requests until the bounds hold.

        Args:
            now: By the clock.

        Returns:
            The requests that were dropped, each with the reason.
        """
        dropped: list[tuple[Outcome, Request]] = []
        while queues := [queue for queue in self.queues if queue.exports]:
            oldest = min(queues, key=lambda queue: queue.exports[0].since)
            if self.bytes > self._max_bytes:
                reason = Outcome.BUFFER_FULL
            elif now - oldest.exports[0].since > self._max_age:
                reason = Outcome.TOO_OLD
            else:
                break
            dropped.append((reason if self.keeps else Outcome.NOT_KEPT, oldest.drop_oldest()))
        return dropped

    def remove(self, is_meant: Callable[[Request], bool]) -> list[Request]:
        """Remove some requests without dropping them, and return them."""
        removed: list[Request] = []
        for queue in self.queues:
            exports = [*queue.exports]
            queue.clear()
            for since, requests in exports:
                removed += filter(is_meant, requests)
                if left := [request for request in requests if not is_meant(request)]:
                    queue.add(since, left)
        return removed

    def clear(self) -> list[Request]:
        """Drop all, and return it."""
        dropped = [request for queue in self.queues for export in queue.exports for request in export.requests]
        for queue in self.queues:
            queue.clear()
        return dropped

    def _queue_of(self, request: Request) -> Queue:
        floats, native = self.queues
        return native if request.histograms else floats
