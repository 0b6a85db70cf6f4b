"""How long to wait before a request is sent again."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

# Only ever longer, so that no gap is much shorter than the one before it (the compliance suite: four fifths of it).
_JITTER = 0.1


class Backoff(NamedTuple):
    """Waits that double from a minimum to a maximum, in seconds."""

    minimum: float
    maximum: float

    def wait(self, attempt: int, retry_after: float | None, random: Callable[[], float]) -> float:
        """Returns how long to wait, in seconds.

        Args:
            attempt: How often the request has been sent so far, from 1.
            retry_after: What the receiver wishes, in seconds; it wins.
            random: A number from 0 to 1, so that many processes do not come back at the same moment.
        """
        wait = min(self.maximum, self.minimum * 2.0 ** min(attempt - 1, 30))
        if retry_after is not None and retry_after > 0:
            wait = retry_after
        return wait * (1 + _JITTER * random())
