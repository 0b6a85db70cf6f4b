"""Which series a request is refused for: found by halving, and then kept apart for a while."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Sequence

from ..model.remote_write import Labels

_REFUSALS_WITHOUT_A_GOOD_SERIES = 20
_KEPT_APART = 600.0  # seconds


class Search:
    """Finds the series for which a request is refused: a group that is refused is halved, down to single series.

    The first half is searched to its end before the second is tried. So a single series is reached soon; where it is
    one after the other that are refused, and none is accepted, all of them are taken for bad.

    Args:
        series: How many the request holds; it has been refused.
        most: After how many refusals the search ends.

    Attributes:
        alone: The positions of the series that were refused by themselves.
        given_up: The positions of those that were not tried alone when the search ended.
    """

    def __init__(self, series: int, most: int) -> None:
        self._most = most
        self._refusals = 0
        self._found_good = False
        self._untried: list[range] = []
        self.alone: list[int] = []
        self.given_up: list[int] = []
        self.refused(range(series))

    @property
    def is_hopeless(self) -> bool:
        """Whether one refusal followed the other."""
        return not self._found_good and self._refusals > _REFUSALS_WITHOUT_A_GOOD_SERIES

    def next(self) -> Sequence[int]:
        """The next group to try, by positions; none when the search is over."""
        if self.is_hopeless or self._refusals > self._most:
            self.given_up += self.untried()
            self._untried.clear()
        return self._untried.pop() if self._untried else ()

    def untried(self) -> list[int]:
        """The positions that wait for their turn."""
        return [position for group in reversed(self._untried) for position in group]

    def accepted(self) -> None:
        """Note that the receiver takes the group."""
        self._found_good = True

    def refused(self, group: Sequence[int]) -> None:
        """Note that the receiver does not take the group."""
        self._refusals += 1
        middle = len(group) // 2
        if middle:
            self._untried += (range(group[middle], group[-1] + 1), range(group[0], group[middle]))
        else:
            self.alone += group


class Quarantine:
    """Remembers, by batch, which series are bad, and where a search was in vain; from several threads at once.

    Args:
        clock: Seconds that only go up.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[int, dict[Labels, float]] = {}
        self._hopeless: dict[int, float] = {}

    def add(self, batch: int, series: Iterable[Labels]) -> None:
        """Keep series apart from the others of their batch for a while."""
        with self._lock:
            self._forget()
            self._until.setdefault(batch, {}).update(dict.fromkeys(series, self._clock() + _KEPT_APART))

    def release(self, batch: int, series: Iterable[Labels]) -> None:
        """Let series travel with the others again."""
        with self._lock:
            held = self._until.get(batch, {})
            for labels in series:
                held.pop(labels, None)

    def held(self, batch: int) -> frozenset[Labels]:
        """Returns the series of a batch that are to be kept apart."""
        with self._lock:
            now = self._clock()
            return frozenset(labels for labels, until in self._until.get(batch, {}).items() if until > now)

    def give_up(self, batch: int) -> None:
        """Note that to search a batch is in vain."""
        with self._lock:
            self._forget()
            self._hopeless[batch] = self._clock() + _KEPT_APART

    def is_hopeless(self, batch: int) -> bool:
        """Returns whether to search a batch was in vain a while ago."""
        with self._lock:
            return self._hopeless.get(batch, -math.inf) > self._clock()

    def _forget(self) -> None:
        """Drop what is over, of batches that are gone, too."""
        now = self._clock()
        self._hopeless = {batch: until for batch, until in self._hopeless.items() if until > now}
        self._until = {batch: held for batch, held in self._until.items() if max(held.values(), default=now) > now}
