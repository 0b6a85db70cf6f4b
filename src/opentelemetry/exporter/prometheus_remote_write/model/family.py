"""Every series known once: which streams a metric family has, and which of them a series belongs to.

A stream of the SDK (a metric and a set of attributes) becomes one series or several: a histogram's become one for each
bucket, the sum and the count. All streams of a :class:`Family` become the same series but for their own labels, so a
series is a stream and one of the family's :class:`SeriesName`; the many are never built one by one.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from ..errors import OverBudget, Untranslatable
from ..translation.series_limit import Share
from .list_diff import Alignment
from .remote_write import (
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


class Frame(NamedTuple):
    """What one family sends in one export.

    Args:
        family: The family.
        streams: Its streams; the very same list as in the export before while nothing about them changes.
        timestamps: In milliseconds since the epoch: one for all streams, or one for each.
        values: The float samples: all of the first stream, in the order of the family's names, then the next stream's.
        histograms: Or the native histograms, one for each stream.
        exemplars: By the position that a series has in ``values`` or ``histograms``.
        seeds: When a stream that begins with this export stood at zero, in milliseconds, by the stream's position: a
            sample of 0 goes before its own.
        alignment: Where the streams were in a list of before, if that is known; of use to who holds that very list.
    """

    family: Family
    streams: Sequence[Stream]
    timestamps: int | Sequence[int]
    values: array[float]
    histograms: Sequence[NativeHistogram]
    exemplars: Mapping[int, tuple[Exemplar, ...]]
    seeds: Mapping[int, int] = MappingProxyType({})
    alignment: Alignment | None = None


class Claims:
    """Who writes which series. No two streams may write one: receivers keep one sample and drop the other silently.

    A claim is on a stream's labels under each of its family's names, not on every series: a histogram's buckets are
    claimed together. Only a stream that brings a label ``le`` of its own can hit one bucket among them.

    Args:
        share: Of the process's budget; what is claimed is taken from it. By default there is no limit.
    """

    def __init__(self, share: Share | None = None) -> None:
        self.share = share or Share()
        self._owners: dict[SeriesGroup, dict[Labels, Family]] = {}

    def beyond(self, share: Share) -> Claims:
        """Returns claims on the same series that are taken from another share."""
        claims = Claims(share)
        claims._owners = self._owners
        return claims

    def claim(self, family: Family, labels: Labels) -> None:
        """Take the series of a stream.

        Args:
            family: The stream's family.
            labels: The stream's labels.

        Raises:
            Untranslatable: Another stream has one of the series, or there is no room for them (:class:`OverBudget`).
                Nothing is taken.
        """
        for name, owner in self._owners_of(family, labels):
            shown = ", ".join(f'{label}="{text}"' for label, text in labels)
            raise Untranslatable(
                "duplicate",
                f"its series {name}{{{shown}}} is the same as one of metric {owner.metric!r}, and only one is sent: "
                "rename one metric, or tell their attributes or scopes apart",
            )
        self.share.take(family.metric, len(family.names))
        for group in family.groups:
            self._owners.setdefault(group, {})[labels] = family

    def claim_all(self, family: Family, all_labels: Sequence[Labels]) -> Mapping[int, Untranslatable]:
        """Take the series of streams.

        Args:
            family: The streams' family.
            all_labels: The labels of each.

        Returns:
            What :meth:`claim` would raise, by the position of those streams that cannot have their series.
        """
        if not all_labels:
            return {}
        new = dict.fromkeys(all_labels, family)
        if len(new) == len(all_labels) and self._are_free(family, new):
            with suppress(OverBudget):
                self.share.take(family.metric, len(family.names) * len(new))
                for group in family.groups:
                    self._owners.setdefault(group, {}).update(new)
                return {}
        refused: dict[int, Untranslatable] = {}
        for position, labels in enumerate(all_labels):
            try:
                self.claim(family, labels)
            except Untranslatable as error:
                refused[position] = error
        return refused

    def check_room(self, family: Family) -> None:
        """Raise :class:`OverBudget` where there is no room for another stream of a family."""
        self.share.check_room(len(family.names))

    def release_all(self, family: Family, all_labels: Collection[Labels]) -> None:
        """Give back the series of streams.

        Args:
            family: The streams' family.
            all_labels: The labels of each; all are claimed.
        """
        if not all_labels:
            return
        for group in family.groups:
            owners = self._owners[group]
            for labels in all_labels:
                del owners[labels]
            if not owners:
                del self._owners[group]
        self.share.give_back(family.metric, len(family.names) * len(all_labels))

    def _are_free(self, family: Family, all_labels: Mapping[Labels, object]) -> bool:
        """Whether certainly nobody has a series of some streams."""
        return all(
            SeriesGroup(group.name, not group.is_bucket) not in self._owners
            and self._owners.get(group, {}).keys().isdisjoint(all_labels)
            for group in family.groups
        )

    def _owners_of(self, family: Family, labels: Labels) -> Iterator[tuple[str, Family]]:
        for group in family.groups:
            if owner := self._owners.get(group, {}).get(labels):
                yield group.name, owner
            if others := self._owners.get(SeriesGroup(group.name, not group.is_bucket)):
                for bucket, their_labels in _as_buckets(family, group, labels):
                    owner = others.get(their_labels)
                    if owner and (group.is_bucket or bucket in owner.names):
                        yield group.name, owner


def _as_buckets(family: Family, group: SeriesGroup, labels: Labels) -> Iterator[tuple[SeriesName, Labels]]:
    """The series of a group as those of the other kind have them: ``le`` among the labels, or in the name."""
    if group.is_bucket:
        for series in family.names:
            if series.name == group.name and series.le:
                yield series, tuple(sorted([*labels, (BUCKET_BOUND, series.le)]))
    elif bound := dict(labels).get(BUCKET_BOUND):
        yield SeriesName(group.name, bound), tuple(label for label in labels if label[0] != BUCKET_BOUND)
