"""The series for which a request is refused: found by bisection, then held apart for as long as they are refused."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from ..model.remote_write import Labels

_REFUSALS_BEFORE_A_LOOK_AT_THE_LARGEST = 11  # as many as it takes to reach a single one of 2000 series
_REFUSALS_WITHOUT_A_GOOD_SERIES = 20
_REMEMBERED = 600.0  # seconds


class Bisection:
    """Finds the series for which a request is refused by halving each refused group, down to single series.

    The first half is searched completely before the second is tried, so that a single series is reached soon. If
    nothing was accepted on the way, the largest groups come next, because bad series are often neighbours. If none of
    those is accepted either, all series count as bad.

    Args:
        series: How many series the refused request holds.
        most: After how many refusals the search ends.
        may_be_hopeless: Whether the search ends earlier if nothing is accepted.

    Attributes:
        alone: The positions of the series that were refused by themselves.
        given_up: The positions of those that had not been tried alone when the search ended.
    """

    def __init__(self, series: int, most: int, *, may_be_hopeless: bool = True) -> None:
        self._most = most
        self._may_be_hopeless = may_be_hopeless
        self._refusals = 0
        self._found_good = False
        self._untried: list[range] = []
        self.alone: list[int] = []
        self.given_up: list[int] = []
        self.refused(range(series))

    @property
    def is_hopeless(self) -> bool:
        """Whether one refusal followed the other."""
        return self._may_be_hopeless and not self._found_good and self._refusals > _REFUSALS_WITHOUT_A_GOOD_SERIES

    def next(self) -> Sequence[int]:
        """Return the positions of the next group to try; empty when the search is over."""
        if self.is_hopeless or self._refusals > self._most:
            self.given_up += self.untried()
            self._untried.clear()
        if not self._untried:
            return ()
        if self._found_good or self._refusals <= _REFUSALS_BEFORE_A_LOOK_AT_THE_LARGEST:
            return self._untried.pop()
        largest = max(self._untried, key=len)
        self._untried.remove(largest)
        return largest

    def untried(self) -> list[int]:
        """Return the positions that wait for their turn."""
        return [position for group in reversed(self._untried) for position in group]

    def accepted(self) -> None:
        """Note that the receiver accepted the group."""
        self._found_good = True

    def refused(self, group: Sequence[int]) -> None:
        """Note that the receiver refused the group."""
        self._refusals += 1
        middle = len(group) // 2
        if middle:
            self._untried += (range(group[middle], group[-1] + 1), range(group[0], group[middle]))
        else:
            self.alone += group


class BadSeries:
    """Remembers, by batch, which series were refused by themselves, and where a search was in vain.

    Those series are held apart: they travel in requests of their own, so that the others are accepted at once. Each
    export tries them again. Used by several threads at once.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[int, dict[Labels, float]] = {}
        self._hopeless: dict[int, float] = {}

    def hold_apart(self, batch: int, series: Iterable[Labels]) -> None:
        """Hold apart series that were refused by themselves."""
        with self._lock:
            self._forget()
            held = self._until.setdefault(batch, {})
            for labels in series:
                held.pop(labels, None)  # so that the last one tried comes last
                held[labels] = self._clock() + _REMEMBERED

    def release(self, batch: int, series: Collection[Labels]) -> None:
        """Let series travel with the others again, because they were accepted."""
        with self._lock:
            held = self._until.get(batch, {})
            for labels in series:
                held.pop(labels, None)

    def held(self, batch: int) -> Mapping[Labels, int]:
        """Return the series of a batch that are held apart, in the order in which to try them."""
        with self._lock:
            now = self._clock()
            held = (labels for labels, until in self._until.get(batch, {}).items() if until > now)
            return {labels: rank for rank, labels in enumerate(held)}

    def give_up(self, batch: int) -> None:
        """Note that searching a batch is in vain."""
        with self._lock:
            self._forget()
            self._hopeless[batch] = self._clock() + _REMEMBERED

    def is_hopeless(self, batch: int) -> bool:
        """Return whether searching a batch was in vain recently."""
        with self._lock:
            return self._hopeless.get(batch, -math.inf) > self._clock()

    def _forget(self) -> None:
        """Drop what has expired, also of batches that are gone."""
        now = self._clock()
        self._hopeless = {batch: until for batch, until in self._hopeless.items() if until > now}
        self._until = {batch: held for batch, held in self._until.items() if max(held.values(), default=now) > now}
