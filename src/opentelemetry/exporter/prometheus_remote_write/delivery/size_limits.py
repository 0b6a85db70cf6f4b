"""How large a request may be where the receiver has refused a larger one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

_GROWS_AFTER = 120.0  # seconds without a refusal
_FORGOTTEN_AFTER = 3600.0  # seconds in which nothing of a batch was sent


class _Limit(NamedTuple):
    samples: int
    since: float


class SizeLimits:
    """Remembers by batch how many samples the receiver takes at once, and tries twice as many after some minutes.

    Args:
        clock: Seconds that only go up.
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
            if limit is None:
                return samples
            if self._clock() - limit.since < _GROWS_AFTER:
                return min(samples, limit.samples)
            if limit.samples * 2 < samples:
                limit = self._limits[batch] = _Limit(limit.samples * 2, self._clock())
                return limit.samples
            del self._limits[batch]  # a refusal sets it anew
            return samples

    def note(self, batch: int, samples: int) -> None:
        """Note that the receiver takes so many samples, but has refused more."""
        now = self._clock()
        with self._lock:
            self._limits = {
                number: limit for number, limit in self._limits.items() if now - limit.since < _FORGOTTEN_AFTER
            }
            self._limits[batch] = _Limit(samples, now)
