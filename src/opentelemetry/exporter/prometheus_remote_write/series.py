"""Every series known once: which streams a metric family has, and which of them a series belongs to.

A stream of the SDK (a metric and a set of attributes) becomes one series or several: a histogram's become one for each
bucket, the sum and the count. All streams of a :class:`Family` become the same series but for their own labels, so a
series is a stream and one of the family's :class:`SeriesName`; the many are never built one by one.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from opentelemetry.exporter.prometheus_remote_write.errors import Untranslatable
from opentelemetry.exporter.prometheus_remote_write.model import (
    BUCKET_BOUND,
    Exemplar,
    Labels,
    Metadata,
    NativeHistogram,
)


class SeriesName(NamedTuple):
    """What tells the series of a stream apart: the metric's name, and ``le`` where it is a bucket."""

    name: str
    le: str = ""


@dataclass(frozen=True, eq=False, slots=True)
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


@dataclass(frozen=True, eq=False, slots=True)
class Stream:
    """One set of attributes of a family. Two streams are never equal: the object is its own key.

    Args:
        labels: What all its series have, without ``__name__`` and without a bucket's ``le``.
        start: Since when its values count, in milliseconds since the epoch; 0 where that is not known.
    """

    labels: Labels
    start: int


class Frame(NamedTuple):
    """What one family sends in one export.

    Args:
        family: The family.
        streams: Its streams; the very same list as in the export before while nothing about them changes.
        timestamps: In milliseconds since the epoch: one for all streams, or one for each.
        values: The float samples: all of the first stream, in the order of the family's names, then the next stream's.
        histograms: Or the native histograms, one for each stream.
        exemplars: By the position that a series has in ``values`` or ``histograms``.
    """

    family: Family
    streams: Sequence[Stream]
    timestamps: int | Sequence[int]
    values: array[float]
    histograms: Sequence[NativeHistogram]
    exemplars: Mapping[int, tuple[Exemplar, ...]]


class Claims:
    """Who writes which series. No two streams may write one: receivers keep one sample and drop the other silently.

    A claim is on a stream's labels under each of its family's names, not on every series: a histogram's buckets are
    claimed together. Only a stream that brings a label ``le`` of its own can hit one bucket among them.
    """

    def __init__(self) -> None:
        self._owners: dict[str, dict[Labels, Family]] = {}
        self._with_own_bound: set[str] = set()

    def claim(self, family: Family, labels: Labels) -> None:
        """Take the series of a stream.

        Args:
            family: The stream's family.
            labels: The stream's labels.

        Raises:
            Untranslatable: Another stream has one of the series. Nothing is taken.
        """
        for name, owner in self._owners_of(family, labels):
            shown = ", ".join(f'{label}="{text}"' for label, text in labels)
            raise Untranslatable(
                "duplicate",
                f"its series {name}{{{shown}}} is the same as one of metric {owner.metric!r}, and only one is sent: "
                "rename one metric, or tell their attributes or scopes apart",
            )
        for name in _distinct_names(family):
            self._owners.setdefault(name, {})[labels] = family
            if _own_bound(labels) is not None:
                self._with_own_bound.add(name)

    def release(self, family: Family, labels: Labels) -> None:
        """Give back the series of a stream."""
        for name in _distinct_names(family):
            del self._owners[name][labels]

    def _owners_of(self, family: Family, labels: Labels) -> Iterator[tuple[str, Family]]:
        own_bound = _own_bound(labels)
        for name in _distinct_names(family):
            owners = self._owners.get(name, {})
            if owner := owners.get(labels):
                yield name, owner
            if own_bound is not None:
                owner = owners.get(tuple(label for label in labels if label[0] != BUCKET_BOUND))
                if owner and SeriesName(name, own_bound) in owner.names:
                    yield name, owner
            if name in self._with_own_bound:
                for bucket in family.names:
                    if bucket.name == name and bucket.le:
                        owner = owners.get(tuple(sorted([*labels, (BUCKET_BOUND, bucket.le)])))
                        if owner:
                            yield name, owner


def _distinct_names(family: Family) -> Iterable[str]:
    return dict.fromkeys(series.name for series in family.names)


def _own_bound(labels: Labels) -> str | None:
    return next((text for label, text in labels if label == BUCKET_BOUND), None)
