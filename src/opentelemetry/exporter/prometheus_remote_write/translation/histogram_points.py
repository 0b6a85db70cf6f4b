"""Translating the data points of histograms with explicit buckets as classic series, one for each bucket."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate, chain
from typing import Any, TypeAlias

from ..errors import Untranslatable
from ..model.bucket_bound import le_text
from ..model.family import Family, FamilySamples, SeriesName
from ..model.remote_write import (
    BUCKET_BOUND,
    Exemplar,
    Metadata,
    MetricType,
)
from ..system.time_slice import TimeSlice
from .exemplars import bucket_of
from .label_sets import LabelSet, label_set
from .labels import exported_labels, sorted_labels
from .points import (
    DataPoints,
    MetricDescriptor,
    Samples,
    exemplars_by_point,
    family_samples,
    timestamps,
    unreadable,
)
from .streams import Streams

_Shape: TypeAlias = tuple[tuple[float, ...], int]
"""Bounds and the number of buckets."""


class HistogramPoints:
    """The points of a histogram with explicit buckets, as classic histograms.

    Args:
        descriptor: Of the metric.
    """

    def __init__(self, descriptor: MetricDescriptor) -> None:
        self._descriptor = descriptor
        self._time_slice = descriptor.time_slice or TimeSlice()
        self._by_shape: dict[_Shape, _ClassicBuckets] = {}

    def translate(self, points: DataPoints) -> Iterator[FamilySamples]:
        """Translate the data points of one export; points with different bounds form different families."""
        by_shape = self._grouped(points)
        if by_shape.keys() != self._by_shape.keys() or len(by_shape) > 1:
            # First, so that a stream that moves to other bounds can register its series there.
            for shape, buckets in self._by_shape.items():
                buckets.keep_only(by_shape.get(shape, ()))
            self._by_shape = {shape: buckets for shape, buckets in self._by_shape.items() if shape in by_shape}
        for shape, alike in by_shape.items():
            try:
                if shape not in self._by_shape:
                    self._by_shape[shape] = _ClassicBuckets(self._descriptor, *shape)
            except Untranslatable as error:
                for _ in self._time_slice.between(alike):
                    self._descriptor.drop(error)
            else:
                yield from self._by_shape[shape].translate(alike)

    def release(self) -> None:
        """Give up the series: the metric is gone."""
        for buckets in self._by_shape.values():
            buckets.release()

    def _grouped(self, points: DataPoints) -> dict[_Shape, DataPoints]:
        try:
            if shape := self._only_shape(points):  # always so in what the SDK collects
                return {shape: points}
        except Exception:  # noqa: BLE001, S110 - the wrong one is found below
            pass
        groups: dict[_Shape, list[Any]] = {}
        for point in self._time_slice.between(points):
            try:
                groups.setdefault((tuple(point.explicit_bounds), len(point.bucket_counts)), []).append(point)
            except Exception as error:  # noqa: BLE001 - a point may be wrong in any way
                self._descriptor.drop(unreadable(error))
        return {**groups}

    def _only_shape(self, points: DataPoints) -> _Shape | None:
        bounds, buckets = points[0].explicit_bounds, len(points[0].bucket_counts)
        for (some,) in self._time_slice.blocks(points):
            shapes = [(point.explicit_bounds, len(point.bucket_counts)) for point in some]
            if shapes.count((bounds, buckets)) != len(shapes):
                return None
        return tuple(bounds), buckets


class _ClassicBuckets:
    """The points of a histogram with the same bounds and number of buckets."""

    def __init__(self, descriptor: MetricDescriptor, bounds: tuple[float, ...], buckets: int) -> None:
        bounds = distinct_bounds(bounds)
        if bounds and bounds[-1] == math.inf:
            bounds = bounds[:-1]  # every histogram has the bucket +Inf
        self._descriptor = descriptor
        self._bounds = bounds[:buckets]
        self._complete = buckets > len(bounds)
        self._one_for_each = buckets == len(bounds) + 1  # bucket for each bound, and the last
        name = descriptor.family
        names = [SeriesName(f"{name}_bucket", le_text(bound)) for bound in (*self._bounds, math.inf)]
        self._streams = histogram_streams(descriptor, (*names, SeriesName(f"{name}_sum"), SeriesName(f"{name}_count")))

    def translate(self, points: DataPoints) -> Iterator[FamilySamples]:
        yield from family_samples(self._streams, self._samples, points, self._descriptor.drop)

    def keep_only(self, points: DataPoints) -> None:
        self._streams.keep_only(points)

    def release(self) -> None:
        self._streams.release()

    def _samples(self, points: DataPoints) -> Samples:
        values = self._values(points)
        if values is None:
            checked = self._streams.time_slice.between(points)
            values = array("d", [value for point in checked for value in self._values_of(point)])
        exemplars = self._exemplars(points) if self._descriptor.exemplars else {}
        return Samples(timestamps(points), values, exemplars=exemplars)

    def _values(self, points: DataPoints) -> array[float] | None:
        """Return the values of points whose buckets add up to their count, as the SDK's always do."""
        if not (points and self._one_for_each):
            return None
        values: list[float] = []
        for point in points:
            values += accumulate(point.bucket_counts)
            values += (point.sum, point.count)
        self._streams.time_slice.check()
        if min(chain.from_iterable([point.bucket_counts for point in points])) < 0:
            return None
        found = array("d", values)
        infinite, size = len(self._bounds), len(self._bounds) + 3
        return found if found[infinite::size] == found[size - 1 :: size] else None

    def _values_of(self, point: Any) -> list[float]:
        cumulative: list[float] = list(accumulate(point.bucket_counts))
        total = cumulative[-1] if cumulative else 0
        if total != point.count:
            self._check_total(point, total)
        if cumulative and min(point.bucket_counts) < 0:
            raise Untranslatable("buckets", "a bucket count is negative")
        cumulative[len(self._bounds) :] = (point.count, point.sum, point.count)
        return cumulative

    def _check_total(self, point: Any, total: float) -> None:
        # The bucket +Inf shows the count; so a point may have no buckets at all, or count what fits into none (NaN).
        if total > point.count or (total and not self._complete):
            raise Untranslatable("buckets", f"its buckets hold {total} values, but its count is {point.count}")

    def _exemplars(self, points: DataPoints) -> dict[int, tuple[Exemplar, ...]]:
        by_series: dict[int, tuple[Exemplar, ...]] = {}
        series_of_a_stream = len(self._bounds) + 3
        for position, exemplars in exemplars_by_point(points, self._streams.time_slice).items():
            for exemplar in exemplars:
                series = position * series_of_a_stream + bucket_of(exemplar.value, self._bounds)
                by_series[series] = (*by_series.get(series, ()), exemplar)
        return by_series


def _labels(descriptor: MetricDescriptor) -> Callable[[Mapping[str, Any]], LabelSet]:
    """Return the function that makes a histogram's labels: ``le`` is a bucket's, never an attribute's."""

    def labels(attributes: Mapping[str, Any]) -> LabelSet:
        found = descriptor.labels(attributes)
        if all(name != BUCKET_BOUND for name, _ in found.labels):
            return found  # the same object that other metrics have
        return label_set(found.attributes, sorted_labels(exported_labels(dict(found.labels), (BUCKET_BOUND,))))

    return labels


def distinct_bounds(bounds: Sequence[Any]) -> tuple[float, ...]:
    """Return bounds as floats; two distinct integers may become the same float."""
    try:
        numbers = tuple(map(float, bounds))
    except (TypeError, ValueError, OverflowError):
        numbers = ()
    if len(set(numbers)) < len(bounds) or any(map(math.isnan, numbers)) or math.inf in numbers[:-1]:
        raise Untranslatable("bounds", f"its bounds {list(bounds)} are not distinct numbers")
    return numbers


def histogram_streams(descriptor: MetricDescriptor, names: tuple[SeriesName, ...], *, native: bool = False) -> Streams:
    """Return the streams of a histogram's family, none yet.

    Args:
        descriptor: Of the metric.
        names: Of each stream's series.
        native: Whether a stream is one series of native histograms.
    """
    metadata = Metadata(descriptor.family, MetricType.HISTOGRAM, descriptor.help, descriptor.unit)
    return Streams(
        Family(descriptor.metric, metadata, names, native),
        descriptor.registry,
        _labels(descriptor),
        descriptor.drop,
        descriptor.zero_samples,
        descriptor.time_slice,
    )
