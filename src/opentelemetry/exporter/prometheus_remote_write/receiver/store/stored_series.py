"""One series as it is kept: its labels, and its points of the last minutes, thinned out."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Mapping
from enum import Enum
from itertools import islice, pairwise
from typing import NamedTuple

from ...model.remote_write import BUCKET_BOUND, METRIC_NAME, Exemplar, Labels
from ...model.stale_marker import is_stale
from ..received import Histogram
from .distribution import Bucket, Distribution, Packed, increase, of_native, pack, total

MOST_POINTS = 300
"""How many points of a series are kept at least: the time that is kept is divided into so many slots."""

_SLACK = 60
_LONGEST_NAME = 200
_CHARACTERS_OF_A_SERIES = 2000
_KEPT_EXEMPLARS = 20


class Role(Enum):
    """What a series is in its family."""

    VALUE = "value"
    BUCKET = "bucket"
    SUM = "sum"
    COUNT = "count"
    NATIVE = "native"


class StoredTarget(NamedTuple):
    """Who sends a series."""

    job: str
    instance: str

    @classmethod
    def of(cls, labels: Mapping[str, str]) -> StoredTarget:
        """Return who sends a series with these labels; of names that are absurdly long, the beginnings."""
        return cls(labels.get("job", "")[:_LONGEST_NAME], labels.get("instance", "")[:_LONGEST_NAME])


class StoredSeries:
    """A series with its points, oldest first.

    Args:
        labels: With the name.
        role: What it is in its family.
        slot: Milliseconds that at least lie between two points, the last one excepted.

    Attributes:
        times: Milliseconds since the epoch.
        values: The value at each of the times; of a native histogram its count.
        distributions: The buckets at each of the times, of a native histogram only.
        has_ended: Whether the last that came is a stale marker.
        heard: When the last point came, in seconds of the store's clock.
        weight: How many series it counts for: a native histogram for one a bucket, and labels of thousands of
            characters for as many as take that much memory.
    """

    __slots__ = (
        "_slot",
        "_weight_of_labels",
        "by_name",
        "distributions",
        "exemplars",
        "has_ended",
        "heard",
        "labels",
        "role",
        "times",
        "values",
        "weight",
    )

    def __init__(self, labels: Labels, role: Role, slot: int) -> None:
        self.labels = labels
        self.by_name = dict(labels)
        self.role = role
        self.times = array("q")
        self.values = array("d")
        self.distributions: deque[Packed] = deque()
        self.exemplars: deque[Exemplar] = deque(maxlen=_KEPT_EXEMPLARS)
        self.has_ended = False
        self.heard = 0.0
        self.weight = 1 + sum(len(name) + len(value) for name, value in labels) // _CHARACTERS_OF_A_SERIES
        self._weight_of_labels = self.weight
        self._slot = slot

    @property
    def name(self) -> str:
        """The name."""
        return self.by_name.get(METRIC_NAME, "")

    @property
    def target(self) -> StoredTarget:
        """Who sends it."""
        return StoredTarget.of(self.by_name)

    @property
    def bound(self) -> float:
        """The upper bound of a classic histogram's bucket."""
        try:
            return float(self.by_name.get(BUCKET_BOUND, "NaN"))
        except ValueError:
            return math.nan

    @property
    def newest(self) -> int:
        """The time of the last point, 0 if there is none."""
        return self.times[-1] if self.times else 0

    def add(self, time: int, value: float | Histogram) -> tuple[float, Distribution]:
        """Take a point in, and return by how much a counter has grown by it.

        Args:
            time: Milliseconds since the epoch.
            value: A number or a native histogram.

        Returns:
            The growth of the number (of a native histogram: of the count), and that of each bucket.
        """
        if isinstance(value, Histogram) is not (self.role is Role.NATIVE):
            self._begin_anew(Role.NATIVE if isinstance(value, Histogram) else Role.VALUE)
        number = value.sum if isinstance(value, Histogram) else value
        self.has_ended = is_stale(number)
        if self.has_ended or (not isinstance(value, Histogram) and math.isnan(number)):
            return 0.0, {}
        if not isinstance(value, Histogram):
            grown = grown_by(self.values[-1], value) if self.values else 0.0
            self._keep(time, value, None)
            return grown, {}
        buckets = of_native(value)
        before = self.distributions[-1] if self.distributions else None
        added = increase(before.unpacked(), buckets) if before else {}
        grown = grown_by(self.values[-1], value.count) if self.values else 0.0
        self._keep(time, value.count, pack(buckets, before))
        self.weight = max(self.weight, self._weight_of_labels + len(buckets))
        return grown, added

    def rate(self, now: int, window: int) -> float | None:
        """Return by how much a counter has grown per second, or None if that cannot be told.

        Args:
            now: The end of the time looked at, in milliseconds since the epoch.
            window: Its length in milliseconds.
        """
        first = bisect_left(self.times, now - window)
        if first == len(self.times):
            return 0.0
        if first == len(self.times) - 1:
            first -= 1  # a rate needs two points
        if first < 0:
            return None
        grown = sum(grown_by(self.values[at - 1], self.values[at]) for at in range(first + 1, len(self.times)))
        return grown * 1000 / max(self.times[-1] - self.times[first], _shortest(window))

    def grown(self, since: int) -> float:
        """Return by how much a counter has grown since a time, in milliseconds since the epoch."""
        first = max(bisect_left(self.times, since) - 1, 0)
        return sum(grown_by(self.values[at - 1], self.values[at]) for at in range(first + 1, len(self.times)))

    def observed(self, since: int) -> dict[Bucket, float]:
        """Return how what a native histogram has observed since a time is distributed."""
        first = max(bisect_left(self.times, since) - 1, 0)
        states = [each.unpacked() for each in islice(self.distributions, first, None)]
        return total(increase(before, after) for before, after in pairwise(states))

    def rates(self, since: int, window: int) -> Iterator[tuple[int, float]]:
        """Yield a counter's rate per second at each of its points.

        Args:
            since: The first point to look at, in milliseconds since the epoch.
            window: Milliseconds before each point over which it is measured.
        """
        begin = bisect_left(self.times, since - window)
        total = 0.0
        totals = [0.0]
        for at in range(begin + 1, len(self.times)):
            total += grown_by(self.values[at - 1], self.values[at])
            totals.append(total)
        first = begin
        for at in range(begin + 1, len(self.times)):
            while self.times[first] < self.times[at] - window and first < at - 1:
                first += 1
            if self.times[at] >= since:
                grown = totals[at - begin] - totals[first - begin]
                yield self.times[at], grown * 1000 / max(self.times[at] - self.times[first], _shortest(window))

    def _begin_anew(self, role: Role) -> None:
        """Forget the points of a series that was numbers and now is native histograms, or the other way round."""
        self.role = role
        del self.times[:], self.values[:]
        self.distributions.clear()

    def _keep(self, time: int, value: float, buckets: Packed | None) -> None:
        """Keep a point; the one before goes if it is closer to its own predecessor than a slot is long.

        So what is left has the same number of exports between each two points.
        """
        if len(self.times) > 1 and self.times[-1] - self.times[-2] < self._slot:
            self.times[-1], self.values[-1] = time, value
            if buckets is not None:
                self.distributions[-1] = buckets
            return
        self.times.append(time)
        self.values.append(value)
        if buckets is not None:
            self.distributions.append(buckets)
        if len(self.times) > MOST_POINTS + _SLACK:
            del self.times[:_SLACK], self.values[:_SLACK]
            for _ in range(min(_SLACK, len(self.distributions))):
                self.distributions.popleft()


def _shortest(window: int) -> int:
    """Return over how many milliseconds a rate is taken at least: a zero sample may be just before the first value."""
    return max(window // 4, 1)


def grown_by(before: float, after: float) -> float:
    """Return by how much a counter has grown; one that has less than before began anew at 0."""
    return after - before if after >= before else after
