"""How much time an exporter may still add to the end of the process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_FOR_REQUESTS = 0.9  # the rest is for saying what was lost


class ExitTime:
    """Counts the exit time that an exporter uses, and none that others use.

    The exit does not begin when the main thread ends: the interpreter then waits for all non-daemon threads, which may
    do the application's work for days. It begins with the first call of :meth:`begin`.

    Args:
        seconds: The total exit time.
        clock: Monotonic seconds.

    Attributes:
        has_begun: Whether the exit has begun.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self.has_begun = False

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return max(self._seconds, 0.0)

    @property
    def for_requests(self) -> float:
        """The seconds within which all requests have to be answered."""
        return self.left * _FOR_REQUESTS

    def begin(self) -> None:
        """Note that the exit begins."""
        self.has_begun = True

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the time of the block, if the exit has begun."""
        if not self.has_begun:
            yield
            return
        began = self._clock()
        try:
            yield
        finally:
            self._seconds -= self._clock() - began
