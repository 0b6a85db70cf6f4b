"""What waits for a receiver that is away: requests, compressed and in order, within bounds."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from typing import NamedTuple

from ..model.request import Request


class Waiting(NamedTuple):
    """The requests of one export that are not delivered yet.

    Args:
        since: When they were made, in seconds by the clock.
        requests: They hold different series, so among them the order does not matter.
    """

    since: float
    requests: Sequence[Request]


class Queue:
    """Exports to be sent one after the other, oldest first.

    Attributes:
        exports: What waits.
        blocked: Whether the oldest could not be delivered when it was tried last.
    """

    def __init__(self) -> None:
        self.exports: deque[Waiting] = deque()
        self.blocked = False

    def replace_oldest(self, left: Sequence[Request]) -> None:
        """Keep only what is left of the oldest export."""
        oldest = self.exports.popleft()
        if left:
            self.exports.appendleft(Waiting(oldest.since, left))


class Backlog:
    """Keeps exports within bounds, the oldest being dropped first.

    Args:
        max_bytes: Of all bodies together. 0 keeps nothing.
        max_age: In seconds. 0 keeps nothing.

    Attributes:
        queues: Floats, and native histograms. A receiver that takes no native histograms answers 500, again and again;
            in a queue of their own they hold nothing else up. No series is in both.
    """

    def __init__(self, max_bytes: int, max_age: float) -> None:
        self._max_bytes = max_bytes if max_age else 0
        self._max_age = max_age
        self.queues = (Queue(), Queue())

    @property
    def samples(self) -> int:
        """How many samples and histograms wait."""
        return sum(request.size for queue in self.queues for export in queue.exports for request in export.requests)

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not any(queue.exports for queue in self.queues)

    @property
    def keeps(self) -> bool:
        """Whether anything is kept at all."""
        return self._max_bytes > 0

    def add(self, since: float, requests: Sequence[Request]) -> None:
        """Put the requests of an export behind all others.

        Args:
            since: When they were made, in seconds by the clock.
            requests: They hold different series.
        """
        for is_native, queue in enumerate(self.queues):
            if own := [request for request in requests if bool(request.histograms) == is_native]:
                queue.exports.append(Waiting(since, own))

    def trim(self, now: float) -> Counter[str]:
        """Drop the oldest requests until the bounds hold.

        Args:
            now: By the clock.

        Returns:
            How many samples and histograms were dropped, by reason.
        """
        dropped: Counter[str] = Counter()
        total = sum(len(request.body) for queue in self.queues for each in queue.exports for request in each.requests)
        while waiting := [queue for queue in self.queues if queue.exports]:
            queue = min(waiting, key=lambda queue: queue.exports[0].since)
            since, requests = queue.exports[0]
            if total > self._max_bytes:
                reason = "buffer full"
            elif now - since > self._max_age:
                reason = "too old"
            else:
                break
            dropped[reason if self.keeps else "not kept"] += requests[0].size
            total -= len(requests[0].body)
            queue.replace_oldest(requests[1:])
        return dropped

    def clear(self) -> int:
        """Drop all, and return how many samples and histograms that were."""
        samples = self.samples
        for queue in self.queues:
            queue.exports.clear()
        return samples
