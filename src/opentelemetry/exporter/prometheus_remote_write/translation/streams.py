"""The streams of one family, recognised from export to export."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain, compress
from operator import is_
from typing import Any, NamedTuple

from ..errors import SeriesLimitExceeded, Untranslatable
from ..model.family import Family, Stream
from ..model.list_diff import Block, ListDiff, list_diff
from ..model.remote_write import Labels
from ..model.timestamps import milliseconds
from ..system.time_slice import TimeSlice
from .known_points import KnownPoints
from .label_sets import LabelSet
from .series_registry import SeriesRegistry
from .zero_samples import ZeroSamples


class Found(NamedTuple):
    """The streams of one export.

    Args:
        points: The data points that have a stream.
        streams: Their streams, in the same order: the same list object as the last time if nothing changed.
        diff: How they differ from the last list, if known.
    """

    points: Sequence[Any]
    streams: Sequence[Stream]
    diff: ListDiff | None = None


_DROPPED = Stream((), 0, 0)


class Streams:
    """Finds the stream of each data point.

    The SDK hands out the same attributes object for a stream at every collection, and its data points in the same
    order; so one comparison with the previous export usually covers all of them. Attributes are compared by identity
    and with a copy of their content, so that new objects and those changed in place are looked up again. (A change in
    place to something equal, as from 1 to True, goes unnoticed; the SDK changes nothing in place.)

    Args:
        family: The streams' family.
        registry: Where their series are registered.
        labels: Returns the labels for a data point's attributes.
        drop: Called for each data point that gets no stream, with the reason.
        zero_samples: Decides on zero samples, if the family has them.
        time_slice: Yields the GIL between pieces of work.

    Attributes:
        time_slice: The same.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a metric has in common with others, and its family
        self,
        family: Family,
        registry: SeriesRegistry,
        labels: Callable[[Mapping[str, Any]], LabelSet],
        drop: Callable[[Untranslatable], None],
        zero_samples: ZeroSamples | None = None,
        time_slice: TimeSlice | None = None,
    ) -> None:
        self.time_slice = time_slice or TimeSlice()
        self.family = family
        self._registry = registry
        self._labels = labels
        self._drop = drop
        self._zero_samples = zero_samples
        self._known = KnownPoints([], [], [], [])
        self._without_room: dict[int, object] = {}
        self._new: dict[Stream, int] = {}

    def find(self, points: Sequence[Any]) -> Found:
        """Find the streams of data points.

        Args:
            points: The SDK's data points; what is read of them is ``attributes`` and ``start_time_unix_nano``.
        """
        recognised = self._recognised(points)
        if recognised is None:
            return Found(points, self._known.streams)
        return self._find_anew(points, recognised)

    def zero_samples(self) -> Mapping[int, int]:
        """Return the zero samples of the streams found last, by position; each is returned once."""
        if self._zero_samples is None:
            return {}
        new, self._new = self._new, {}
        return self._zero_samples.zero_samples(self.family, self._known.streams, new)

    def keep_only(self, points: Sequence[Any]) -> None:
        """Release the streams whose attributes are not among those of some data points."""
        present = {id(getattr(point, "attributes", None)) for point in self.time_slice.between(points)}
        stays = [id(attributes) in present for attributes in self.time_slice.between(self._known.attributes)]
        if not all(stays):
            before = self._known
            self._give_up([before.streams[place] for place, it_stays in enumerate(stays) if not it_stays])
            self._known = before.only(stays, self.time_slice)
            self._discard(before)

    def release(self) -> None:
        """Release all streams."""
        self.keep_only(())
        self._without_room = {}

    def _recognised(self, points: Sequence[Any]) -> ListDiff | None:
        """Find where unchanged points were in the previous export; None if nothing changed."""
        held, copies, starts, _ = self._known
        with suppress(
            Exception
        ):  # the point that cannot be read or compared is found when they are looked up one by one
            if self._are_as_before(points):
                return None
            attributes, since = [], []
            for (some,) in self.time_slice.blocks(points):
                attributes += [point.attributes for point in some]
                since += [point.start_time_unix_nano for point in some]
            known, identities = self._identities(held), self._identities(attributes)
            diff = list_diff(known, identities, time_slice=self.time_slice)
            self.time_slice.discard(known, identities)
            # An object that occurs twice may have had one content for the first point and another for the second.
            if _are_unique(self.time_slice.blocks(identities)) and all(
                there is None or self._are_equal(copies[there], attributes[here], starts[there], since[here])
                for here, there in diff.blocks
            ):
                return diff
        before: dict[int, tuple[object, int | None]] = {}
        for block in self.time_slice.blocks(held, copies, starts):
            before |= {id(attributes): (copy, start) for attributes, copy, start in zip(*block, strict=True)}
        found = [_identity(point, before) for point in self.time_slice.between(points)]
        return list_diff(self._identities(held), found, time_slice=self.time_slice)

    def _identities(self, items: Sequence[object]) -> list[int]:
        return [*chain.from_iterable(map(id, some) for (some,) in self.time_slice.blocks(items))]

    def _are_equal(
        self, copies: Sequence[Any], attributes: Sequence[Any], starts: Sequence[Any], since: Sequence[Any]
    ) -> bool:
        blocks = self.time_slice.blocks(copies, attributes, starts, since)
        return all(before == now and began == begins for before, now, began, begins in blocks)

    def _are_as_before(self, points: Sequence[Any]) -> bool:
        held, copies, starts, _ = self._known
        if len(points) != len(held):
            return False
        for some, their_held, their_copies, their_starts in self.time_slice.blocks(points, held, copies, starts):
            attributes = [point.attributes for point in some]
            if not (
                all(map(is_, attributes, their_held))
                and attributes == their_copies
                and [point.start_time_unix_nano for point in some] == their_starts
            ):
                return False
        return True

    def _find_anew(self, points: Sequence[Any], recognised: ListDiff) -> Found:
        before = self._known
        _, _, blocks, gone = recognised
        between = self.time_slice.between
        left = {stream.labels: stream for stream in (before.streams[place] for place in between(gone))}
        known, new, dropped = self._look_at_others(points, blocks, left)
        is_complete = len(left) == len(gone)  # otherwise some were found by their labels
        self._give_up(list(left.values()))
        for (some,) in self.time_slice.blocks(new):
            labels = [known.streams[place].labels for place in some]
            unregistered = self._registry.register_all(self.family, labels, between)
            for place, reason in unregistered.items():
                dropped[some[place]] = reason
                self._new.pop(known.streams[some[place]], None)
        beyond = [points[position] for position, error in dropped.items() if isinstance(error, SeriesLimitExceeded)]
        if dropped:
            # Fewer points are known than there are, so the next export looks them up again: there may be room then.
            stays = [position not in dropped for position in between(range(len(points)))]
            known, points, is_complete = known.only(stays, self.time_slice), list(compress(points, stays)), False
        unchanged = known.streams == before.streams
        self._known = known._replace(streams=before.streams) if unchanged else known
        self._discard(before)
        self.time_slice.discard(left)
        # Last, because reading and logging may run the application's code.
        self.time_slice.discard(self._without_room, dropped)
        attributes_beyond = [point.attributes for point in between(beyond)]
        self._without_room = {id(attributes): attributes for attributes in between(attributes_beyond)}
        for position in between(sorted(dropped)):
            self._drop(dropped[position])
        streams = self._known.streams
        return Found(points, streams, ListDiff(before.streams, streams, blocks, gone) if is_complete else None)

    def _look_at_others(
        self, points: Sequence[Any], blocks: Iterable[Block], left: dict[Labels, Stream]
    ) -> tuple[KnownPoints, list[int], dict[int, Untranslatable]]:
        """Look up the points that changed.

        Args:
            points: The data points.
            blocks: Where they were before.
            left: The streams found before and not yet now, by their labels. Those found are removed.

        Returns:
            What is known about the points, the positions of new streams, and errors by position.
        """
        known, new, dropped = KnownPoints([], [], [], []), [], {}
        for here, there in self.time_slice.between(blocks):
            if there is not None:
                known.add_from(self._known, there)
                continue
            for position in self.time_slice.between(range(here.start, here.stop)):
                try:
                    stream = self._look_at(points[position], left, known)
                except Exception as error:  # noqa: BLE001 - attributes may be wrong in any way
                    dropped[position] = _reason(error)
                    known.add(None, None, None, _DROPPED)
                else:
                    if left.pop(stream.labels, None) is None:
                        new.append(position)
        return known, new, dropped

    def _discard(self, known: KnownPoints) -> None:
        # Others may still have the list of streams.
        self.time_slice.discard(known.attributes, known.copies, known.starts, list(known.streams))

    def _give_up(self, streams: Sequence[Stream]) -> None:
        for (some,) in self.time_slice.blocks(streams):
            self._registry.release_all(self.family, [stream.labels for stream in some])
            for stream in some:
                self._new.pop(stream, None)

    def _look_at(self, point: Any, left: Mapping[Labels, Stream], known: KnownPoints) -> Stream:
        """Find the stream of a changed point by its labels, or create one, and add what is known now."""
        attributes, start = point.attributes, point.start_time_unix_nano
        if attributes is not None and not isinstance(attributes, (dict, Mapping)):  # the SDK's are dicts: a fast check
            raise Untranslatable("attributes", f"attributes of type {type(attributes).__name__} are not a mapping")
        if id(attributes) in self._without_room:
            self._registry.check(self.family)
        began = milliseconds(start or 0)
        if began:  # a stream that begins during a collection is in it, under the time at which the collection began
            began = min(began, milliseconds(point.time_unix_nano))
        copy, labels, label_bytes = self._labels(attributes or {})
        stream = left.get(labels)
        if stream is None or stream.start != began:
            stream = Stream(labels, began, label_bytes)
            if self._zero_samples and (zero_sample := self._zero_samples.zero_sample(point)) is not None:
                self._new[stream] = zero_sample
        known.add(attributes, None if attributes is None else copy, start, stream)
        return stream


def _are_unique(blocks: Iterable[Sequence[Sequence[int]]]) -> bool:
    seen: set[int] = set()
    length = 0
    for (some,) in blocks:
        seen.update(some)
        length += len(some)
    return len(seen) == length


def _identity(point: Any, before: Mapping[int, tuple[object, int | None]]) -> int | None:
    """Return the identity of a point's attributes, if it is unchanged."""
    with suppress(Exception):  # its error is found when it is looked up
        attributes = point.attributes
        if before.get(id(attributes)) == (attributes, point.start_time_unix_nano):
            return id(attributes)
    return None


def _reason(error: Exception) -> Untranslatable:
    if isinstance(error, Untranslatable):
        return error
    return Untranslatable("attributes", f"its attributes cannot be read ({type(error).__name__})")
