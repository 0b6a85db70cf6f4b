"""The minimum and maximum of a histogram's points, as additional gauges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from operator import attrgetter
from typing import Any

from ..errors import Untranslatable
from ..model.family import FamilySamples
from ..model.remote_write import MetricType
from ..system.time_slice import TimeSlice
from .points import DataPoints, MetricDescriptor, NumberPoints, Points


class WithExtremes:
    """The points of a histogram, plus their minimums and maximums as gauges.

    A data point counts as one even if it is dropped from each of the three: by reason, as often as in the one that
    drops the most.

    Args:
        descriptor: The metric's.
        points: Creates what translates the histogram itself.
    """

    def __init__(self, descriptor: MetricDescriptor, points: Callable[[MetricDescriptor], Points]) -> None:
        self._descriptor = descriptor
        self._dropped: list[Untranslatable] = []
        heard = descriptor._replace(drop=self._dropped.append)
        self._kinds = (points(heard), ExtremePoints(heard, "min"), ExtremePoints(heard, "max"))

    def translate(self, points: DataPoints) -> Iterator[FamilySamples]:
        """Translate the data points of one export."""
        most: dict[str, list[Untranslatable]] = {}
        for kind in self._kinds:
            self._dropped.clear()
            for family_samples in kind.translate(points):
                yield family_samples._replace(tells_points=kind is self._kinds[0])
            by_reason: dict[str, list[Untranslatable]] = {}
            for error in self._dropped:
                by_reason.setdefault(error.reason, []).append(error)
            for reason, errors in by_reason.items():
                most[reason] = max(most.get(reason, []), errors, key=len)
        for error in chain.from_iterable(most.values()):
            self._descriptor.drop(error)

    def release(self) -> None:
        """Release the series: the metric is gone."""
        for kind in self._kinds:
            kind.release()


class ExtremePoints:
    """The minimum or maximum of a histogram's points, as a gauge.

    Args:
        descriptor: The histogram's.
        extreme: ``min`` or ``max``, the suffix of the name.
    """

    def __init__(self, descriptor: MetricDescriptor, extreme: str) -> None:
        of_extreme = descriptor._replace(family=f"{descriptor.family}_{extreme}")
        self._time_slice = descriptor.time_slice or TimeSlice()
        self._points = NumberPoints(of_extreme, MetricType.GAUGE, lambda points: map(attrgetter(extreme), points))

    def translate(self, points: DataPoints) -> Iterator[FamilySamples]:
        """Translate the data points of one export, except those that have not recorded their extremes."""
        yield from self._points.translate([point for point in self._time_slice.between(points) if _has_extremes(point)])

    def release(self) -> None:
        """Release the series: the metric is gone."""
        self._points.release()


def _has_extremes(point: Any) -> bool:
    """Return whether a point records its extremes; the SDK leaves infinities where an aggregation does not."""
    try:
        return not point.min > point.max
    except Exception:  # noqa: BLE001 - a point may be wrong in any way; that is reported later
        return True
