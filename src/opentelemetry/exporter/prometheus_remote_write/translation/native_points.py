"""Translating the data points of histograms as native histograms."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from operator import lt
from typing import Any

from ..model.family import FamilySamples, SeriesName
from ..model.remote_write import NativeHistogram
from ..system.time_slice import TimeSlice
from .histogram_points import HistogramPoints, distinct_bounds, histogram_streams
from .native_histogram import custom_buckets, exponential
from .points import DataPoints, MetricDescriptor, Samples, exemplars_by_point, family_samples, timestamps


class NativePoints:
    """The points of a histogram, each as one native histogram.

    Args:
        descriptor: Of the metric.
        histogram: Returns a data point's native histogram; raises :class:`Untranslatable` if it has none.
    """

    def __init__(self, descriptor: MetricDescriptor, histogram: Callable[[Any], NativeHistogram]) -> None:
        self._descriptor = descriptor
        self._histogram = histogram
        self._streams = histogram_streams(descriptor, (SeriesName(descriptor.family),), native=True)

    def translate(self, points: DataPoints) -> Iterator[FamilySamples]:
        """Translate the data points of one export."""
        yield from family_samples(self._streams, self._samples, points, self._descriptor.drop)

    def release(self) -> None:
        """Give up the series: the metric is gone."""
        self._streams.release()

    def _samples(self, points: DataPoints) -> Samples:
        exemplars = exemplars_by_point(points, self._streams.time_slice) if self._descriptor.exemplars else {}
        histograms = list(map(self._histogram, self._streams.time_slice.between(points)))
        return Samples(timestamps(points), array("d"), histograms, exemplars)


class CustomBucketPoints:
    """The points of a histogram with explicit buckets, as native histograms if possible, else as classic ones.

    Args:
        descriptor: Of the metric.
    """

    def __init__(self, descriptor: MetricDescriptor) -> None:
        self._time_slice = descriptor.time_slice or TimeSlice()
        self._native = NativePoints(descriptor, _with_custom_buckets)
        self._classic = HistogramPoints(descriptor)

    def translate(self, points: DataPoints) -> Iterator[FamilySamples]:
        """Translate the data points of one export."""
        complete: list[Any] = []
        others: list[Any] = []
        for point in self._time_slice.between(points):
            (complete if _has_custom_buckets(point) else others).append(point)
        yield from self._native.translate(complete)
        yield from self._classic.translate(others)

    def release(self) -> None:
        """Give up the series: the metric is gone."""
        self._native.release()
        self._classic.release()


def exponential_points(descriptor: MetricDescriptor) -> NativePoints:
    """Return the translation of an exponential histogram's points."""
    return NativePoints(descriptor, _with_exponential_buckets)


def _with_exponential_buckets(point: Any) -> NativeHistogram:
    return exponential(
        scale=point.scale,
        zero_count=point.zero_count,
        positive_offset=point.positive.offset,
        positive_counts=point.positive.bucket_counts,
        negative_offset=point.negative.offset,
        negative_counts=point.negative.bucket_counts,
        sum=point.sum,
        count=point.count,
    )


def _with_custom_buckets(point: Any) -> NativeHistogram:
    bounds = distinct_bounds(point.explicit_bounds)
    return custom_buckets(bounds, point.bucket_counts, point.sum, point.count)


def _has_custom_buckets(point: Any) -> bool:
    """Return whether bounds ascend and buckets hold the count, which custom buckets, unlike classic ones, require."""
    try:
        bounds, counts = point.explicit_bounds, point.bucket_counts
        return all(map(lt, bounds, bounds[1:])) and bool(counts) and sum(counts) == point.count
    except Exception:  # noqa: BLE001 - a point may be wrong in any way; the classic form will say what
        return False
