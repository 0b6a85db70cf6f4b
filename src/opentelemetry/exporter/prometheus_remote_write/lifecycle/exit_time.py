"""How long the end of the process may still take because of an exporter."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_FOR_REQUESTS = 0.9  # the rest is for saying what was lost


class ExitTime:
    """Counts what an exporter uses of its time at the exit, and nothing of what others use there.

    The exit does not begin when the main thread ends: the interpreter then waits for all threads that are not daemons,
    which may do the application's work for days. It begins with the first that is done for it.

    Args:
        seconds: All of the time.
        clock: Seconds that only go up.

    Attributes:
        has_begun: Whether the process is at its end.
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
        """The seconds in which all requests have to be answered."""
        return self.left * _FOR_REQUESTS

    def begin(self) -> None:
        """Note that the process is at its end."""
        self.has_begun = True

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the time inside, if the process is at its end when it begins."""
        if not self.has_begun:
            yield
            return
        began = self._clock()
        try:
            yield
        finally:
            self._seconds -= self._clock() - began
