"""Which stream writes which series."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from ..errors import SeriesLimitExceeded, Untranslatable
from ..model.family import Family, SeriesGroup, SeriesName
from ..model.remote_write import BUCKET_BOUND, Labels
from .series_limit import SeriesUsage


class SeriesRegistry:
    """Knows which stream writes which series.

    No two streams may write the same series: receivers keep one sample and drop the other silently.

    A stream's labels are registered under each of its family's names, not for every series: a histogram's buckets are
    registered together. Only a stream with a label ``le`` of its own can collide with a single bucket.

    Args:
        usage: Counts the registered series. By default there is no limit.
    """

    def __init__(self, usage: SeriesUsage | None = None) -> None:
        self.usage = usage or SeriesUsage()
        self._owners: dict[SeriesGroup, dict[Labels, Family]] = {}

    def beyond(self, usage: SeriesUsage) -> SeriesRegistry:
        """Return a registry of the same series that counts them in another usage."""
        registry = SeriesRegistry(usage)
        registry._owners = self._owners
        return registry

    def has_names_of(self, family: Family) -> bool:
        """Return whether any registered series has one of a family's names."""
        return any(
            group in self._owners or SeriesGroup(group.name, not group.is_bucket) in self._owners
            for group in family.groups
        )

    def reason_against(self, family: Family, labels: Labels) -> Untranslatable | None:
        """Return why a stream cannot be registered because of another; None if it can."""
        for name, owner in self._owners_of(family, labels):
            shown = ", ".join(f'{label}="{text}"' for label, text in labels)
            return Untranslatable(
                "duplicate",
                f"its series {name}{{{shown}}} is also written by metric {owner.metric!r}, and only one is sent: "
                "rename one metric, or give them different attributes or scopes",
            )
        return None

    def register(self, family: Family, labels: Labels) -> None:
        """Register the series of a stream.

        Args:
            family: The stream's family.
            labels: The stream's labels.

        Raises:
            Untranslatable: Another stream has one of the series, or they exceed the limit
                (:class:`SeriesLimitExceeded`). Nothing is registered.
        """
        if reason := self.reason_against(family, labels):
            raise reason
        self.usage.take(family.metric, len(family.names))
        for group in family.groups:
            self._owners.setdefault(group, {})[labels] = family

    def register_all(
        self,
        family: Family,
        all_labels: Sequence[Labels],
        between: Callable[[Iterable[Labels]], Iterable[Labels]] = iter,
    ) -> Mapping[int, Untranslatable]:
        """Register the series of streams.

        Args:
            family: The streams' family.
            all_labels: The labels of each.
            between: Yields the GIL between items.

        Returns:
            What :meth:`register` would raise, by the position of each stream that was not registered.
        """
        if not all_labels:
            return {}
        new = dict.fromkeys(all_labels, family)
        if len(new) == len(all_labels) and self._are_free(family, new):
            with suppress(SeriesLimitExceeded):
                self.usage.take(family.metric, len(family.names) * len(new))
                for group in family.groups:
                    self._owners.setdefault(group, {}).update(new)
                return {}
        dropped: dict[int, Untranslatable] = {}
        for position, labels in enumerate(between(all_labels)):
            try:
                self.register(family, labels)
            except Untranslatable as error:
                dropped[position] = error
        return dropped

    def check(self, family: Family) -> None:
        """Raise :class:`SeriesLimitExceeded` if there is no room for another stream of a family."""
        self.usage.check(len(family.names))

    def release_all(self, family: Family, all_labels: Collection[Labels]) -> None:
        """Release the series of streams.

        Args:
            family: The streams' family.
            all_labels: The labels of each; all are registered.
        """
        if not all_labels:
            return
        for group in family.groups:
            owners = self._owners[group]
            for labels in all_labels:
                del owners[labels]
            if not owners:
                del self._owners[group]
        self.usage.give_back(family.metric, len(family.names) * len(all_labels))

    def _are_free(self, family: Family, all_labels: Mapping[Labels, object]) -> bool:
        """Return whether certainly no other stream has a series of some streams."""
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
    """Yield the series of a group in the other notation: ``le`` among the labels, or in the name."""
    if group.is_bucket:
        for series in family.names:
            if series.name == group.name and series.le:
                yield series, tuple(sorted([*labels, (BUCKET_BOUND, series.le)]))
    elif bound := dict(labels).get(BUCKET_BOUND):
        yield SeriesName(group.name, bound), tuple(label for label in labels if label[0] != BUCKET_BOUND)
