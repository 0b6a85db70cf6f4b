"""What waits for a receiver that is away: requests, compressed and in order, within bounds."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from typing import NamedTuple

from opentelemetry.exporter.prometheus_remote_write.encoding.request import Request


class Waiting(NamedTuple):
    """The requests of one export that are not delivered yet.

    Args:
        since: When they were made, in seconds by the clock.
        requests: They hold different series, so among them the order does not matter.
    """

    since: float
    requests: Sequence[Request]


class Backlog:
    """Keeps exports, oldest first.

    Args:
        max_bytes: Of all bodies together. 0 keeps nothing.
        max_age: In seconds. 0 keeps nothing.
    """

    def __init__(self, max_bytes: int, max_age: float) -> None:
        self._max_bytes = max_bytes if max_age else 0
        self._max_age = max_age
        self._exports: deque[Waiting] = deque()

    def __len__(self) -> int:
        return len(self._exports)

    @property
    def samples(self) -> int:
        """How many samples and histograms wait."""
        return sum(request.size for export in self._exports for request in export.requests)

    @property
    def keeps(self) -> bool:
        """Whether anything is kept at all."""
        return self._max_bytes > 0

    def add(self, export: Waiting) -> None:
        """Put the requests of an export behind all others."""
        if export.requests:
            self._exports.append(export)

    def oldest(self) -> Waiting:
        """Take out the oldest export."""
        return self._exports.popleft()

    def put_back(self, export: Waiting) -> None:
        """Put what is left of the oldest export where it was."""
        if export.requests:
            self._exports.appendleft(export)

    def trim(self, now: float) -> Counter[str]:
        """Drop the oldest requests until the bounds hold.

        Args:
            now: By the clock.

        Returns:
            How many samples and histograms were dropped, by reason.
        """
        dropped: Counter[str] = Counter()
        while self._exports and now - self._exports[0].since > self._max_age:
            dropped["too old" if self.keeps else "not kept"] += sum(r.size for r in self._exports.popleft().requests)
        total = sum(len(request.body) for export in self._exports for request in export.requests)
        while total > self._max_bytes:
            since, requests = self._exports.popleft()
            dropped["buffer full" if self.keeps else "not kept"] += requests[0].size
            total -= len(requests[0].body)
            self.put_back(Waiting(since, requests[1:]))
        return dropped

    def clear(self) -> int:
        """Drop all, and return how many samples and histograms that were."""
        samples = self.samples
        self._exports.clear()
        return samples
