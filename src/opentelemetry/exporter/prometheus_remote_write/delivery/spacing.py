"""How far apart samples go out to a receiver that limits their rate.

Receivers let a burst pass, and then a certain number of samples a second, which they do not announce. But a request
that was refused with 429 and accepted a while later shows how long the receiver needed for it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

_HALVE_AFTER = 120.0  # seconds without a refusal, after which half the distance is tried
_LONGEST_HALVE_AFTER = 1800.0  # seconds; doubles each time that half the distance proves too short
_NEGLIGIBLE = 1e-7  # seconds for one sample
_MARGIN = 1.1  # allows for requests that take different times on the wire
_LONGEST = 5.0  # seconds between two requests; a receiver that needs longer is in trouble, not limiting a rate
_LATELY = 60.0  # seconds


class Spacing:
    """Learns how many seconds the receiver needs for a sample; used by several threads at once.

    Args:
        clock: Monotonic seconds.

    Attributes:
        last_accepted: When a request was last accepted, by the clock.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seconds = 0.0  # for one sample
        self._halve_after = _HALVE_AFTER
        self._since = -math.inf
        self._is_tried = False  # whether the distance was halved since the last refusal
        self._last = -math.inf  # when a request was last accepted, or is to go out
        self.last_accepted = -math.inf
        self._largest = 0
        self._largest_at = -math.inf

    def wait(self, size: int, latest: float) -> float:
        """Reserve the next moment for a request, and return how many seconds to wait for it.

        Args:
            size: How many samples the request has.
            latest: When it goes out in any case: then the receiver has to say that it is too early.
        """
        if not self._seconds:
            return 0.0
        with self._lock:
            now = self._clock()
            if now - self._since >= self._halve_after:
                self._seconds, self._since, self._is_tried = self._seconds / 2, now, True
                if self._seconds < _NEGLIGIBLE:
                    self._seconds = 0.0
            start = max(now, self._last + size * self._seconds)
            if start >= latest:
                return 0.0
            self._last = start
            return start - now

    def accepted(self, size: int, *, refused_at: float | None) -> None:
        """Note that a request was accepted.

        Args:
            size: How many samples it has.
            refused_at: When it was first refused because of the rate, if it was.
        """
        with self._lock:
            now = self._clock()
            if refused_at is not None:
                # After a long silence the receiver needs less than that.
                needed = min(now - self.last_accepted, size * self._seconds + now - refused_at, _LONGEST)
                self._seconds = max(self._seconds, needed / max(size, 1) * _MARGIN)
                if self._is_tried:
                    self._halve_after = min(self._halve_after * 2, _LONGEST_HALVE_AFTER)
                self._since, self._is_tried = now, False
            self._last = max(self._last, now)
            self.last_accepted = now
            if size >= self._largest or now - self._largest_at > _LATELY:
                self._largest, self._largest_at = size, now

    def has_passed(self, size: int) -> bool:
        """Return whether as many samples were accepted at once recently, so that only their rate can be too high."""
        with self._lock:
            return size <= self._largest and self._clock() - self._largest_at <= _LATELY
