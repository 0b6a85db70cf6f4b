"""How large a request may be once the receiver has refused a larger one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

ALL_BATCHES = -1
"""In place of a batch's number: a limit that holds for all batches, such as a tenant's rate."""

_GROWS_AFTER = 120.0  # seconds without a refusal
_GROWS_AFTER_AT_MOST = 1800.0  # seconds; doubles each time that the larger size is refused
_FORGOTTEN_AFTER = 3600.0  # seconds since anything of a batch was sent


class _Limit(NamedTuple):
    samples: int
    since: float
    grows_after: float = _GROWS_AFTER
    has_grown: bool = False


class SizeLimits:
    """Remembers by batch how many samples the receiver accepts at once, and tries twice as many after some minutes.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._limits: dict[int, _Limit] = {}

    def most(self, batch: int, samples: int) -> int:
        """Return how many samples to send at once.

        Args:
            batch: The number of the batch.
            samples: How many there are to send.
        """
        with self._lock:
            limit = self._limits.get(batch)
            if limit is None or samples <= limit.samples:
                return samples
            if self._clock() - limit.since >= limit.grows_after:  # a refusal sets it again
                limit = limit._replace(samples=limit.samples * 2, since=self._clock(), has_grown=True)
                self._limits[batch] = limit
            return min(samples, limit.samples)

    def note(self, batch: int, samples: int) -> None:
        """Note that the receiver accepted this many samples, but refused more."""
        now = self._clock()
        with self._lock:
            self._limits = {
                number: limit for number, limit in self._limits.items() if now - limit.since < _FORGOTTEN_AFTER
            }
            before = self._limits.get(batch, _Limit(samples, now))
            grows_after = before.grows_after
            if before.has_grown and samples < before.samples:
                grows_after = min(grows_after * 2, _GROWS_AFTER_AT_MOST)
            self._limits[batch] = _Limit(samples, now, grows_after)
