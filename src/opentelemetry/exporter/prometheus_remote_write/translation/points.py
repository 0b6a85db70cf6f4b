"""Translating the data points of a metric: a class for each kind, with ``translate(points)`` and ``release()``.

One bad data point never costs another: all points are translated at once, and only if that fails one by one, to find
those to drop.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple, Protocol, TypeAlias

from ..errors import Untranslatable
from ..messages.text import error_text
from ..model.family import Family, FamilySamples, SeriesName
from ..model.remote_write import (
    Exemplar,
    Metadata,
    MetricType,
    NativeHistogram,
)
from ..model.timestamps import milliseconds
from ..system.time_slice import TimeSlice
from .exemplars import prometheus_exemplars
from .label_sets import LabelSet
from .series_registry import SeriesRegistry
from .streams import Streams
from .zero_samples import ZeroSamples

DataPoints: TypeAlias = Sequence[Any]


class MetricDescriptor(NamedTuple):
    """What all data points of a metric have in common.

    Args:
        metric: The OpenTelemetry metric's name.
        family: The name of the Prometheus metric family.
        help: The metric's description.
        unit: The unit's word.
        labels: Returns the labels for a data point's attributes.
        registry: Where series are registered.
        drop: Called for each dropped data point, with the reason.
        exemplars: Whether exemplars are sent.
        zero_samples: Decides on zero samples, if they are sent.
        time_slice: Yields the GIL between pieces of work.
    """

    metric: str
    family: str
    help: str
    unit: str
    labels: Callable[[Mapping[str, Any]], LabelSet]
    registry: SeriesRegistry
    drop: Callable[[Untranslatable], None]
    exemplars: bool
    zero_samples: ZeroSamples | None = None
    time_slice: TimeSlice | None = None


class Points(Protocol):
    """The data points of one metric, from export to export."""

    def translate(self, points: DataPoints) -> Iterator[FamilySamples]:
        """Translate the data points of one export."""

    def release(self) -> None:
        """Release the series: the metric is gone."""


def _values(points: DataPoints) -> list[float]:
    return [point.value for point in points]


class NumberPoints:
    """The points of a sum or a gauge, or one number of a histogram's points.

    Args:
        descriptor: Of the metric.
        type: Of the family. Only a counter's exemplars are sent (OpenTelemetry specification, "Exemplars").
        numbers: The number in each data point.
    """

    def __init__(
        self,
        descriptor: MetricDescriptor,
        type: MetricType,  # noqa: A002 - its name
        numbers: Callable[[DataPoints], Iterable[float]] = _values,
    ) -> None:
        self._descriptor = descriptor
        self._numbers = numbers
        self._exemplars = descriptor.exemplars and type is MetricType.COUNTER
        name = descriptor.family
        family = Family(
            descriptor.metric, Metadata(name, type, descriptor.help, descriptor.unit), names=(SeriesName(name),)
        )
        zero_samples = descriptor.zero_samples if type is MetricType.COUNTER else None
        self._streams = Streams(
            family, descriptor.registry, descriptor.labels, descriptor.drop, zero_samples, descriptor.time_slice
        )

    def translate(self, points: DataPoints) -> Iterator[FamilySamples]:
        """Translate the data points of one export."""
        yield from family_samples(self._streams, self._samples, points, self._descriptor.drop)

    def release(self) -> None:
        """Release the series: the metric is gone."""
        self._streams.release()

    def _samples(self, points: DataPoints) -> Samples:
        exemplars = exemplars_by_point(points, self._streams.time_slice) if self._exemplars else {}
        return Samples(timestamps(points), array("d", self._numbers(points)), exemplars=exemplars)


class Samples(NamedTuple):
    """The samples of data points: the part of a :class:`FamilySamples` that is new in every export."""

    timestamps: int | list[int]
    values: array[float]
    histograms: Sequence[NativeHistogram] = ()
    exemplars: Mapping[int, tuple[Exemplar, ...]] = {}


def family_samples(
    streams: Streams,
    samples: Callable[[DataPoints], Samples],
    points: DataPoints,
    drop: Callable[[Untranslatable], None],
) -> Iterator[FamilySamples]:
    """Translate the data points of one family and one export, dropping those that have no Prometheus form.

    Args:
        streams: The family's.
        samples: Returns the samples of data points; may raise anything if one of them is wrong.
        points: The data points.
        drop: Called for each dropped data point, with the reason.

    Yields:
        The samples, if any data point is left.
    """
    found, their_streams, diff = streams.find(points)
    if not found:
        return
    try:
        translated = _in_blocks(samples, found, streams.time_slice)
    except Exception:  # noqa: BLE001 - whatever is wrong with one point, the others are sent
        sound = list(_sound(streams.time_slice.between(found), samples, drop))
        found, their_streams, diff = streams.find(sound)
        if not found:
            return
        translated = _in_blocks(samples, found, streams.time_slice)
    yield FamilySamples(streams.family, their_streams, *translated, streams.zero_samples(), diff)


def _in_blocks(samples: Callable[[DataPoints], Samples], points: DataPoints, time_slice: TimeSlice) -> Samples:
    """Return the samples of all data points, made block by block, so that no family holds the GIL for long."""
    blocks = [(samples(some), len(some)) for (some,) in time_slice.blocks(points)]
    return blocks[0][0] if len(blocks) == 1 else _joined(blocks, time_slice)


def _joined(blocks: Sequence[tuple[Samples, int]], time_slice: TimeSlice) -> Samples:
    times = [(block.timestamps, size) for block, size in blocks]
    values = array("d")
    histograms: list[NativeHistogram] = []
    exemplars: dict[int, tuple[Exemplar, ...]] = {}
    for block, _ in blocks:
        before = len(values) + len(histograms)  # a family has only one of the two
        exemplars |= {before + position: several for position, several in block.exemplars.items()}
        values += block.values
        histograms += block.histograms
        time_slice.check()
    time_slice.discard(exemplars, histograms)
    return Samples(_joined_times(times), values, histograms, exemplars)


def _joined_times(times: Sequence[tuple[int | list[int], int]]) -> int | list[int]:
    """Return one time if all blocks share it, as in all that the SDK collects; else the time of each point."""
    first, _ = times[0]
    if isinstance(first, int) and all(time == first for time, _ in times):
        return first
    return list(chain.from_iterable([time] * size if isinstance(time, int) else time for time, size in times))


def _sound(
    points: Iterable[Any], samples: Callable[[DataPoints], Samples], drop: Callable[[Untranslatable], None]
) -> Iterator[Any]:
    for point in points:
        try:
            samples([point])
        except Untranslatable as error:
            drop(error)
        except Exception as error:  # noqa: BLE001 - a point may be wrong in any way
            drop(unreadable(error))
        else:
            yield point


def unreadable(error: Exception) -> Untranslatable:
    """Return the reason to drop a data point that is not as the SDK makes them."""
    return Untranslatable("value", f"a data point cannot be read ({error_text(error)})")


def timestamps(points: DataPoints) -> int | list[int]:
    """Return the time of the data points in milliseconds: one if they share it, as all that the SDK collects do."""
    times = [point.time_unix_nano for point in points]
    return milliseconds(times[0]) if times and times.count(times[0]) == len(times) else list(map(milliseconds, times))


def exemplars_by_point(points: DataPoints, time_slice: TimeSlice) -> dict[int, tuple[Exemplar, ...]]:
    """Return the exemplars of data points that have some, by position."""
    found = {}
    for position, point in enumerate(points):
        if point.exemplars:
            time_slice.check()
            if exemplars := prometheus_exemplars(point.exemplars):
                found[position] = exemplars
    return found
