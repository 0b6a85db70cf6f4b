"""A metric with all its series, and what is known of it without looking at each of them."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable

from ...model.remote_write import Labels
from ..received import ReceivedMetadata
from .distribution import Bucket, Distribution, of_classic, quantile, total
from .stored_series import Role, StoredSeries

_KEPT_MOMENTS = 64
_KEPT_SLOTS = 24
_UNKNOWN = ReceivedMetadata("unknown", "", "")


class Moments:
    """What came in with each of the last timestamps: how much all counters grew, and the mean of all values.

    Attributes:
        times: Milliseconds since the epoch, oldest first.
        grown: The growth with each of the times.
    """

    __slots__ = ("_numbers", "_values", "grown", "times")

    def __init__(self) -> None:
        self.times = array("q")
        self.grown = array("d")
        self._values = array("d")
        self._numbers = array("l")

    def add(self, time: int, grown: float, value: float) -> None:
        """Take note of a point of one series."""
        at = bisect_left(self.times, time)
        if at == len(self.times) or self.times[at] != time:
            self.times.insert(at, time)
            self.grown.insert(at, 0.0)
            self._values.insert(at, 0.0)
            self._numbers.insert(at, 0)
        self.grown[at] += grown
        self._values[at] += value
        self._numbers[at] += 1
        if len(self.times) > _KEPT_MOMENTS:
            for column in (self.times, self.grown, self._values, self._numbers):
                del column[0]

    def mean(self, at: int) -> float:
        """Return the mean of all values with one of the times."""
        return self._values[at] / self._numbers[at]


class Growth:
    """What came in with the timestamps of one slot: by how much buckets grew, classic ones by their upper bound."""

    __slots__ = ("classic", "native", "slot")

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.classic: dict[float, float] = {}
        self.native: dict[Bucket, float] = {}

    @property
    def distribution(self) -> dict[Bucket, float]:
        """How the observations of the slot are distributed."""
        return total([of_classic(self.classic), self.native])


class StoredFamily:
    """A metric: one series, or several with other labels, or all the series of a histogram.

    Args:
        name: The name without ``_bucket``, ``_sum`` and ``_count`` if it is a histogram.
        slot: Milliseconds over which the growth of buckets is summed up.

    Attributes:
        series: By their labels, those that changed last at the end.
        moments: What came in when.
        growths: How buckets grew when, oldest first.
    """

    def __init__(self, name: str, slot: int) -> None:
        self.name = name
        self.series: dict[Labels, StoredSeries] = {}
        self.metadata: ReceivedMetadata | None = None
        self.moments = Moments()
        self.growths: deque[Growth] = deque(maxlen=_KEPT_SLOTS)
        self._slot = slot

    @property
    def type(self) -> str:
        """The type as it was sent, or as the names of the series tell it."""
        if self.metadata and self.metadata.type != "unknown":
            return self.metadata.type
        first = next(iter(self.series.values()), None)
        if first is not None and first.role is not Role.VALUE:
            return "histogram"
        return "counter" if self.name.endswith("_total") else "unknown"

    @property
    def described(self) -> ReceivedMetadata:
        """What the sender says of it; empty where nothing was said."""
        return self.metadata or _UNKNOWN

    @property
    def is_cumulative(self) -> bool:
        """Whether it is looked at as a rate."""
        return self.type in {"counter", "histogram"}

    def note(self, series: StoredSeries, time: int, grown: float, added: Distribution) -> None:
        """Take note of a new point of a series."""
        if series.role is Role.BUCKET:
            classic = self._growth(time).classic
            classic[series.bound] = classic.get(series.bound, 0.0) + grown  # 0, too: it is the next one's lower bound
            return
        if series.role is Role.SUM:
            return
        if added:
            native = self._growth(time).native
            for bucket, count in added.items():
                native[bucket] = native.get(bucket, 0.0) + count
        self.moments.add(time, grown, series.values[-1])

    def quantiles(self, since: int, qs: Iterable[float]) -> list[float | None]:
        """Return quantiles of what was observed since a time, in milliseconds since the epoch."""
        distribution = self.distribution(since)
        return [quantile(q, distribution) for q in qs]

    def distribution(self, since: int) -> dict[Bucket, float]:
        """Return how what was observed since a time is distributed."""
        recent = [growth for growth in self.growths if (growth.slot + 1) * self._slot > since]
        classic: dict[float, float] = {}
        for growth in recent:
            for bound, count in growth.classic.items():
                classic[bound] = classic.get(bound, 0.0) + count
        return total([of_classic(classic), *(growth.native for growth in recent)])

    def _growth(self, time: int) -> Growth:
        slot = time // self._slot
        for growth in reversed(self.growths):
            if growth.slot == slot:
                return growth
            if growth.slot < slot:
                break
        growth = Growth(slot)
        self.growths.append(growth)
        return growth
