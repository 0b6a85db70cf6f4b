"""When a request is sent again: how long to wait, and until when, so that the next export is not late."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

# Jitter only lengthens a wait, so that none is much shorter than the one before (the compliance suite allows 4/5).
_JITTER = 0.1
_SHORTEST_INTERVAL = 1.0  # seconds; anything faster is a force_flush, not an interval


class Backoff(NamedTuple):
    """Exponential backoff: waits that double from a minimum to a maximum, in seconds."""

    minimum: float
    maximum: float

    def wait(self, attempt: int, retry_after: float | None, random: Callable[[], float]) -> float:
        """Return how long to wait, in seconds.

        Args:
            attempt: How often the request has been sent so far, from 1.
            retry_after: The receiver's Retry-After in seconds; it takes precedence.
            random: A number from 0 to 1, so that many processes do not come back at the same moment.
        """
        wait = min(self.maximum, self.minimum * 2.0 ** min(attempt - 1, 30))
        if retry_after is not None and retry_after > 0:
            wait = retry_after
        return wait * (1 + _JITTER * random())


class Pace:
    """Learns the export interval from exports that were not held up.

    Args:
        interval: In seconds, as far as it is known beforehand.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._began: float | None = None
        self._lasted = 0.0

    def begin(self, now: float) -> float:
        """Note that an export begins.

        Args:
            now: Monotonic seconds.

        Returns:
            Until when to retry, by the clock: half an interval from now.
        """
        if self._began is not None:
            gap = now - self._began
            if gap >= _SHORTEST_INTERVAL and self._lasted < gap / 2:
                self._interval = gap
        self._began = now
        return now + self._interval / 2

    def end(self, now: float) -> None:
        """Note that the export has ended."""
        if self._began is not None:
            self._lasted = now - self._began
