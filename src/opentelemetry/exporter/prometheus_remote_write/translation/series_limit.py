"""The limit on the series of a process, over all its exporters.

Every set of attributes creates another series, and a careless attribute (a user's id, a path) creates them endlessly,
which the receiver pays for. Streams that exceed the limit are dropped; those already sent stay.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from weakref import WeakSet

from ..errors import SeriesLimitExceeded


class SeriesLimit:
    """The series that all exporters of a process use together."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start afresh, in a forked child: its exporters take again what they send."""
        self.lock = threading.Lock()
        self.usages: WeakSet[SeriesUsage] = WeakSet()

    def used(self) -> Counter[str]:
        """Return the number of series by metric."""
        with self.lock:
            return sum((usage.series for usage in self.usages), Counter())


PROCESS = SeriesLimit()
"""The process's limit."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=PROCESS.reset)


class SeriesUsage:
    """The series of one exporter; they count as long as this object lives.

    Args:
        limit: How many series all usages together may have when this one takes more; 0 is no limit.
        series_limit: The limit that this usage counts under; by default one of its own.

    Attributes:
        series: The number of its series by metric.
        size: The number of its series.
    """

    def __init__(self, limit: int = 0, series_limit: SeriesLimit | None = None) -> None:
        self._limit = limit
        self._series_limit = series_limit or SeriesLimit()
        self.size = 0
        self.series: Counter[str] = Counter()
        with self._series_limit.lock:
            self._series_limit.usages.add(self)

    def check(self, series: int) -> None:
        """Raise :class:`SeriesLimitExceeded` if this many more series would exceed the limit."""
        if self._limit:
            with self._series_limit.lock:
                self._check(series)

    def take(self, metric: str, series: int) -> None:
        """Take more series.

        Args:
            metric: The metric that they belong to.
            series: How many.

        Raises:
            SeriesLimitExceeded: They exceed the limit. None is taken.
        """
        with self._series_limit.lock:
            self._check(series)
            self._add(metric, series)

    def give_back(self, metric: str, series: int) -> None:
        """Release series that were taken."""
        with self._series_limit.lock:
            self._add(metric, -series)
            if not self.series[metric]:
                del self.series[metric]

    def detach(self) -> None:
        """Stop counting these series, as if this object were gone."""
        with self._series_limit.lock:
            self._series_limit.usages.discard(self)

    def _check(self, series: int) -> None:
        if self._limit and sum(usage.size for usage in self._series_limit.usages) + series > self._limit:
            raise SeriesLimitExceeded(self._limit)

    def _add(self, metric: str, series: int) -> None:
        self.size += series
        self.series[metric] += series
