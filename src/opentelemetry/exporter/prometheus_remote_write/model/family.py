"""Families, streams and series, each described once.

A stream of the SDK (a metric and a set of attributes) becomes one series or several: a histogram's becomes one for each
bucket, the sum and the count. All streams of a :class:`Family` become the same series except for their labels, so a
series is a stream and one of the family's :class:`SeriesName`; the many series are never built one by one.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from .list_diff import ListDiff
from .remote_write import (
    Exemplar,
    Labels,
    Metadata,
    NativeHistogram,
)


class SeriesName(NamedTuple):
    """What distinguishes the series of a stream: the metric's name, and ``le`` for a bucket."""

    name: str
    le: str = ""


class SeriesGroup(NamedTuple):
    """The series of a stream that share a name: one series, or all buckets."""

    name: str
    is_bucket: bool


@dataclass(frozen=True, eq=False)
class Family:
    """A metric family: what all its streams have in common.

    Args:
        metric: The OpenTelemetry metric's name, for messages.
        metadata: The family's name, type, help and unit.
        names: The names of each stream's series, in the order of their samples.
        native: Whether a stream is one series of native histograms instead of float samples.
    """

    metric: str
    metadata: Metadata
    names: tuple[SeriesName, ...]
    native: bool = False

    @cached_property
    def groups(self) -> tuple[SeriesGroup, ...]:
        """The distinct names of the series; all buckets share one."""
        return tuple(dict.fromkeys(SeriesGroup(series.name, bool(series.le)) for series in self.names))


@dataclass(eq=False, slots=True)  # not frozen, which triples the time to create one; never changed
class Stream:
    """One set of attributes of a family. Two streams are never equal: the object is its own key.

    Args:
        labels: Common to all its series, without ``__name__`` and a bucket's ``le``.
        start: Since when its values count, in milliseconds since the epoch; 0 if unknown.
        label_bytes: How many bytes the labels take.
    """

    labels: Labels
    start: int
    label_bytes: int


class FamilySamples(NamedTuple):
    """What one family sends in one export.

    Args:
        family: The family.
        streams: Its streams; the same list object as in the previous export while none of them changes.
        timestamps: In milliseconds since the epoch: one for all streams, or one for each.
        values: The float samples: all of the first stream, in the order of the family's names, then the next stream's.
        histograms: Instead, the native histograms, one for each stream.
        exemplars: By a series' position in ``values`` or ``histograms``.
        zero_samples: By a stream's position, when a stream that begins with this export was zero, in milliseconds: a
            sample of 0 precedes its own.
        tells_points: Whether each stream is a data point of the application; ``target_info`` and stale markers are not.
        diff: How the streams differ from an earlier list, if known; useful only with that very list.
    """

    family: Family
    streams: Sequence[Stream]
    timestamps: int | Sequence[int]
    values: array[float]
    histograms: Sequence[NativeHistogram]
    exemplars: Mapping[int, tuple[Exemplar, ...]]
    zero_samples: Mapping[int, int] = MappingProxyType({})
    diff: ListDiff | None = None
    tells_points: bool = True
