"""What the data points of a metric become: a class for each kind, with ``frames(points)`` and ``forget()``.

One bad data point never costs another: all points are translated at once, and only where that fails one by one, to find
those to leave out.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from operator import attrgetter
from typing import Any, NamedTuple, Protocol, TypeAlias

from opentelemetry.exporter.prometheus_remote_write.errors import Untranslatable
from opentelemetry.exporter.prometheus_remote_write.exemplars import bucket_of, prometheus_exemplars
from opentelemetry.exporter.prometheus_remote_write.labels import le_text
from opentelemetry.exporter.prometheus_remote_write.model import (
    BUCKET_BOUND,
    Exemplar,
    Labels,
    Metadata,
    MetricType,
    NativeHistogram,
)
from opentelemetry.exporter.prometheus_remote_write.native_histogram import exponential
from opentelemetry.exporter.prometheus_remote_write.series import Claims, Family, Frame, SeriesName
from opentelemetry.exporter.prometheus_remote_write.streams import Streams
from opentelemetry.exporter.prometheus_remote_write.timestamps import milliseconds

DataPoints: TypeAlias = Sequence[Any]


class Descriptor(NamedTuple):
    """What all data points of a metric have in common.

    Args:
        metric: The OpenTelemetry metric's name.
        family: The name of the Prometheus metric family.
        help: The metric's description.
        unit: The unit's word.
        labels: From a data point's attributes to its labels.
        claims: Where series are claimed.
        refuse: Told of each data point that is left out, and why.
        exemplars: Whether exemplars are sent.
    """

    metric: str
    family: str
    help: str
    unit: str
    labels: Callable[[Mapping[str, Any]], Labels]
    claims: Claims
    refuse: Callable[[Untranslatable], None]
    exemplars: bool


class Points(Protocol):
    """The data points of one metric, from export to export."""

    def frames(self, points: DataPoints) -> Iterator[Frame]:
        """Translate the data points of one export."""

    def forget(self) -> None:
        """Give up the series: the metric is gone."""


class NumberPoints:
    """The points of a sum, a gauge, or of one number in a histogram's points.

    Args:
        descriptor: Of the metric.
        type: Of the family. Only a counter's exemplars are sent (OpenTelemetry specification, "Exemplars").
        value: Where in a data point the number is.
    """

    def __init__(self, descriptor: Descriptor, type: MetricType, value: str = "value") -> None:  # noqa: A002 - its name
        self._descriptor = descriptor
        self._value = attrgetter(value)
        self._exemplars = descriptor.exemplars and type is MetricType.COUNTER
        name = descriptor.family
        family = Family(
            descriptor.metric, Metadata(name, type, descriptor.help, descriptor.unit), names=(SeriesName(name),)
        )
        self._streams = Streams(family, descriptor.claims, descriptor.labels, descriptor.refuse)

    def frames(self, points: DataPoints) -> Iterator[Frame]:
        """Translate the data points of one export."""
        yield from _frames(self._streams, self._samples, points, self._descriptor.refuse)

    def forget(self) -> None:
        """Give up the series: the metric is gone."""
        self._streams.forget()

    def _samples(self, points: DataPoints) -> _Samples:
        exemplars = _exemplars_by_point(points) if self._exemplars else {}
        return _Samples(_timestamps(points), array("d", map(self._value, points)), exemplars=exemplars)


class HistogramPoints:
    """The points of a histogram with explicit buckets, as classic histograms.

    Args:
        descriptor: Of the metric.
    """

    def __init__(self, descriptor: Descriptor) -> None:
        self._descriptor = descriptor
        self._by_shape: dict[_Shape, _ClassicBuckets] = {}

    def frames(self, points: DataPoints) -> Iterator[Frame]:
        """Translate the data points of one export; those with other bounds are a family of their own."""
        by_shape: dict[_Shape, list[Any]] = {}
        for point in points:
            try:
                by_shape.setdefault((tuple(point.explicit_bounds), len(point.bucket_counts)), []).append(point)
            except Exception as error:  # noqa: BLE001 - a point of any kind of wrong
                self._descriptor.refuse(_unreadable(error))
        for shape in self._by_shape.keys() - by_shape.keys():
            self._by_shape.pop(shape).forget()
        for shape, alike in by_shape.items():
            try:
                if shape not in self._by_shape:
                    self._by_shape[shape] = _ClassicBuckets(self._descriptor, *shape)
            except Untranslatable as error:
                for _ in alike:
                    self._descriptor.refuse(error)
            else:
                yield from self._by_shape[shape].frames(alike)

    def forget(self) -> None:
        """Give up the series: the metric is gone."""
        for buckets in self._by_shape.values():
            buckets.forget()


class ExponentialPoints:
    """The points of an exponential histogram, as native histograms.

    Args:
        descriptor: Of the metric.
    """

    def __init__(self, descriptor: Descriptor) -> None:
        self._descriptor = descriptor
        family = _histogram_family(descriptor, (SeriesName(descriptor.family),), native=True)
        self._streams = Streams(family, descriptor.claims, descriptor.labels, descriptor.refuse)

    def frames(self, points: DataPoints) -> Iterator[Frame]:
        """Translate the data points of one export."""
        yield from _frames(self._streams, self._samples, points, self._descriptor.refuse)

    def forget(self) -> None:
        """Give up the series: the metric is gone."""
        self._streams.forget()

    def _samples(self, points: DataPoints) -> _Samples:
        histograms = [
            exponential(
                scale=point.scale,
                zero_count=point.zero_count,
                positive_offset=point.positive.offset,
                positive_counts=point.positive.bucket_counts,
                negative_offset=point.negative.offset,
                negative_counts=point.negative.bucket_counts,
                sum=point.sum,
                count=point.count,
            )
            for point in points
        ]
        exemplars = _exemplars_by_point(points) if self._descriptor.exemplars else {}
        return _Samples(_timestamps(points), array("d"), histograms, exemplars)


_Shape: TypeAlias = tuple[tuple[float, ...], int]


class _ClassicBuckets:
    """The points of a histogram that have the same bounds and number of buckets."""

    def __init__(self, descriptor: Descriptor, bounds: tuple[float, ...], buckets: int) -> None:
        if bounds and bounds[-1] == math.inf:
            bounds = bounds[:-1]  # what every histogram has: the bucket +Inf
        if len(set(bounds)) < len(bounds) or any(map(math.isnan, bounds)):
            raise Untranslatable("bounds", f"its bounds {list(bounds)} are not all different numbers")
        self._descriptor = descriptor
        self._bounds = bounds[:buckets]
        self._complete = buckets > len(bounds)
        name = descriptor.family
        names = [SeriesName(f"{name}_bucket", le_text(bound)) for bound in (*self._bounds, math.inf)]
        family = _histogram_family(descriptor, (*names, SeriesName(f"{name}_sum"), SeriesName(f"{name}_count")))
        self._streams = Streams(family, descriptor.claims, self._labels, descriptor.refuse)

    def frames(self, points: DataPoints) -> Iterator[Frame]:
        yield from _frames(self._streams, self._samples, points, self._descriptor.refuse)

    def forget(self) -> None:
        self._streams.forget()

    def _labels(self, attributes: Mapping[str, Any]) -> Labels:
        return tuple(label for label in self._descriptor.labels(attributes) if label[0] != BUCKET_BOUND)

    def _samples(self, points: DataPoints) -> _Samples:
        bounds = len(self._bounds)
        values: list[float] = []
        for point in points:
            cumulative = list(accumulate(point.bucket_counts))
            total = cumulative[-1] if cumulative else 0
            count = point.count
            if total != count:
                self._check_total(point, total)
            if cumulative and min(point.bucket_counts) < 0:
                raise Untranslatable("buckets", "a bucket count is negative")
            values += cumulative[:bounds]
            values += (count, point.sum, count)
        exemplars = self._exemplars(points) if self._descriptor.exemplars else {}
        return _Samples(_timestamps(points), array("d", values), exemplars=exemplars)

    def _check_total(self, point: Any, total: int) -> None:
        # The bucket +Inf shows the count; so a point may have no buckets at all, or count what fits in none (NaN).
        if total > point.count or (total and not self._complete):
            raise Untranslatable("buckets", f"its buckets hold {total} values, but its count is {point.count}")

    def _exemplars(self, points: DataPoints) -> dict[int, tuple[Exemplar, ...]]:
        by_series: dict[int, tuple[Exemplar, ...]] = {}
        series_of_a_stream = len(self._bounds) + 3
        for position, exemplars in _exemplars_by_point(points).items():
            for exemplar in exemplars:
                series = position * series_of_a_stream + bucket_of(exemplar.value, self._bounds)
                by_series[series] = (*by_series.get(series, ()), exemplar)
        return by_series


class _Samples(NamedTuple):
    timestamps: int | list[int]
    values: array[float]
    histograms: Sequence[NativeHistogram] = ()
    exemplars: Mapping[int, tuple[Exemplar, ...]] = {}


def _frames(
    streams: Streams,
    samples: Callable[[DataPoints], _Samples],
    points: DataPoints,
    refuse: Callable[[Untranslatable], None],
) -> Iterator[Frame]:
    found, their_streams = streams.find(points)
    try:
        translated = samples(found)
    except Exception:  # noqa: BLE001 - whatever is wrong with one point, the others go out
        found, their_streams = streams.find(list(_sound(found, samples, refuse)))
        translated = samples(found)
    if found:
        yield Frame(streams.family, their_streams, *translated)


def _sound(
    points: DataPoints, samples: Callable[[DataPoints], _Samples], refuse: Callable[[Untranslatable], None]
) -> Iterator[Any]:
    for point in points:
        try:
            samples([point])
        except Untranslatable as error:
            refuse(error)
        except Exception as error:  # noqa: BLE001 - a point of any kind of wrong
            refuse(_unreadable(error))
        else:
            yield point


def _unreadable(error: Exception) -> Untranslatable:
    return Untranslatable("value", f"a data point cannot be read ({type(error).__name__}: {error})")


def _timestamps(points: DataPoints) -> int | list[int]:
    times = [point.time_unix_nano for point in points]
    return milliseconds(times[0]) if times and times.count(times[0]) == len(times) else list(map(milliseconds, times))


def _exemplars_by_point(points: DataPoints) -> dict[int, tuple[Exemplar, ...]]:
    translated = {
        position: prometheus_exemplars(point.exemplars) for position, point in enumerate(points) if point.exemplars
    }
    return {position: exemplars for position, exemplars in translated.items() if exemplars}


def _histogram_family(descriptor: Descriptor, names: tuple[SeriesName, ...], *, native: bool = False) -> Family:
    metadata = Metadata(descriptor.family, MetricType.HISTOGRAM, descriptor.help, descriptor.unit)
    return Family(descriptor.metric, metadata, names, native)
