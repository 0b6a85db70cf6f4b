"""Every series known once: which streams a metric family has, and which of them a series belongs to.

A stream of the SDK (a metric and a set of attributes) becomes one series or several: a histogram's become one for each
bucket, the sum and the count. All streams of a :class:`Family` become the same series but for their own labels, so a
series is a stream and one of the family's :class:`SeriesName`; the many are never built one by one.
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
    """What tells the series of a stream apart: the metric's name, and ``le`` where it is a bucket."""

    name: str
    le: str = ""


class SeriesGroup(NamedTuple):
    """The series of a stream that have one name: one series, or all buckets."""

    name: str
    is_bucket: bool


@dataclass(frozen=True, eq=False)
class Family:
    """A metric family: what all its streams have in common.

    Args:
        metric: The OpenTelemetry metric's name, for messages.
        metadata: The family's name, type, help and unit.
        names: What each stream's series are called, in the order in which their samples come.
        native: Whether a stream is one series of native histograms, not of float samples.
    """

    metric: str
    metadata: Metadata
    names: tuple[SeriesName, ...]
    native: bool = False

    @cached_property
    def groups(self) -> tuple[SeriesGroup, ...]:
        """The names of the series, those of the buckets as one."""
        return tuple(dict.fromkeys(SeriesGroup(series.name, bool(series.le)) for series in self.names))


@dataclass(eq=False, slots=True)  # not frozen, which trebles the time to make one; nobody changes it
class Stream:
    """One set of attributes of a family. Two streams are never equal: the object is its own key.

    Args:
        labels: What all its series have, without ``__name__`` and without a bucket's ``le``.
        start: Since when its values count, in milliseconds since the epoch; 0 where that is not known.
        label_bytes: How many bytes the labels take.
    """

    labels: Labels
    start: int
    label_bytes: int


class FamilySamples(NamedTuple):
    """What one family sends in one export.

    Args:
        family: The family.
        streams: Its streams; the very same list as in the export before while nothing about them changes.
        timestamps: In milliseconds since the epoch: one for all streams, or one for each.
        values: The float samples: all of the first stream, in the order of the family's names, then the next stream's.
        histograms: Or the native histograms, one for each stream.
        exemplars: By the position that a series has in ``values`` or ``histograms``.
        zero_samples: When a stream that begins with this export stood at zero, in milliseconds, by the stream's
            position: a sample of 0 goes before its own.
        tells_points: Whether each stream is a data point of the application; ``target_info`` and stale markers are not.
        diff: Where the streams were in a list of before, if that is known; of use to who holds that very list.
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
