"""Yields the GIL to the application while an export computes.

A thread that wants the GIL gets it only when the holder waits for something, or after a whole switch interval (5 ms).
An export computes for tens of milliseconds without waiting, so a request handler that becomes ready meanwhile would be
late by up to that interval, again and again. So an export in the background sleeps for a moment after each slice of
work. That costs almost no CPU time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

_SLICE = 0.00007  # seconds; plus the piece of work in progress, this is how long a request of the application waits
_MOMENT = 0.0001  # seconds: enough for a waiting thread to wake up and take the GIL
_BLOCK = 128  # items, each of which takes about a microsecond


class TimeSlice:
    """The slice of work that an export is in.

    Args:
        clock: Monotonic seconds.
        sleep: Waits for some seconds.
    """

    def __init__(
        self, clock: Callable[[], float] = time.perf_counter, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._end = math.inf
        self._discarded: list[list[Any] | dict[Any, Any]] = []

    def begin(self, *, gives_way: bool) -> None:
        """Begin the work of an export.

        Args:
            gives_way: Whether it yields the GIL. Not if somebody waits for its end.
        """
        self._end = self._clock() + _SLICE if gives_way else math.inf

    def end(self) -> None:
        """Free what was discarded, bit by bit; called at the end of an export."""
        for discarded in self._discarded:
            if isinstance(discarded, dict):
                discarded = [discarded.popitem() for _ in self.between(range(len(discarded)))]  # noqa: PLW2901 - freed
            while discarded:
                del discarded[-_BLOCK:]
                self.check()
        self._discarded.clear()

    def discard(self, *containers: list[Any] | dict[Any, Any]) -> None:
        """Keep what is no longer needed until :meth:`end`, because to free many objects takes long.

        Args:
            containers: Nobody else changes them, or reads them after the end.
        """
        if self._end != math.inf:
            self._discarded += containers

    def check(self) -> None:
        """Yield the GIL if the slice is over; called after each small piece of work."""
        if self._clock() >= self._end:
            self._sleep(_MOMENT)
            self._end = self._clock() + _SLICE

    def between(self, items: Iterable[T]) -> Iterable[T]:
        """Return items that are made one by one, with a check before each."""
        return items if self._end == math.inf else self._between(items)

    def _between(self, items: Iterable[T]) -> Iterator[T]:
        for item in items:
            if self._clock() >= self._end:
                self.check()
            yield item

    def blocks(self, *lists: Sequence[Any]) -> Iterator[Sequence[Sequence[Any]]]:
        """Yield blocks of lists that are equally long, side by side, with a check before each."""
        if self._end == math.inf or len(lists[0]) <= _BLOCK:
            self.check()
            yield lists  # the usual case, so nothing is copied
            return
        for start in range(0, len(lists[0]), _BLOCK):
            self.check()
            yield [items[start : start + _BLOCK] for items in lists]
