"""How many series a process has, over all its exporters.

Every set of attributes makes another series, and a careless attribute (a user's number, a path) makes them without end,
which the receiver pays for. What is beyond the budget is refused; what has its place keeps it.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from weakref import WeakSet

from ..errors import OverBudget


class Budget:
    """The series of all exporters together."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew, as a forked child does: its exporters take again what they send."""
        self.lock = threading.Lock()
        self.shares: WeakSet[Share] = WeakSet()

    def used(self) -> Counter[str]:
        """Returns how many series there are, by metric."""
        with self.lock:
            return sum((share.series for share in self.shares), Counter())


PROCESS = Budget()
"""The process's own."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=PROCESS.reset)


class Share:
    """The series of one exporter; they count as long as somebody holds it.

    Args:
        limit: How many series all shares of the budget have when this one takes more, at most; 0 is no limit.
        budget: What it is a share of; by default of one of its own.

    Attributes:
        series: How many it has, by metric.
        size: How many it has.
    """

    def __init__(self, limit: int = 0, budget: Budget | None = None) -> None:
        self._limit = limit
        self._budget = budget or Budget()
        self.size = 0
        self.series: Counter[str] = Counter()
        with self._budget.lock:
            self._budget.shares.add(self)

    def check_room(self, series: int) -> None:
        """Raise :class:`OverBudget` where so many series more are beyond the limit."""
        if self._limit and sum(share.size for share in self._budget.shares) + series > self._limit:
            raise OverBudget(self._limit)

    def take(self, metric: str, series: int) -> None:
        """Take more series.

        Args:
            metric: Whose.
            series: How many.

        Raises:
            OverBudget: They are beyond the limit. None is taken.
        """
        with self._budget.lock:
            self.check_room(series)
            self._add(metric, series)

    def give_back(self, metric: str, series: int) -> None:
        """Give back series that were taken."""
        with self._budget.lock:
            self._add(metric, -series)
            if not self.series[metric]:
                del self.series[metric]

    def leave(self) -> None:
        """Count no more, as if nobody held it."""
        with self._budget.lock:
            self._budget.shares.discard(self)

    def _add(self, metric: str, series: int) -> None:
        self.size += series
        self.series[metric] += series
