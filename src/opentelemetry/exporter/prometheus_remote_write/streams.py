"""The streams of one family, found again from export to export."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import compress
from operator import is_
from typing import Any, NamedTuple

from opentelemetry.exporter.prometheus_remote_write.beginnings import Beginnings
from opentelemetry.exporter.prometheus_remote_write.errors import OverBudget, Untranslatable
from opentelemetry.exporter.prometheus_remote_write.label_sets import LabelSet
from opentelemetry.exporter.prometheus_remote_write.model import Labels
from opentelemetry.exporter.prometheus_remote_write.series import Claims, Family, Stream
from opentelemetry.exporter.prometheus_remote_write.timestamps import milliseconds


class _Found(NamedTuple):
    """What is known of data points: a list for each thing, all in one order."""

    attributes: list[object]  # held, so that no other object can have its id
    copies: list[object]
    starts: list[int | None]
    streams: list[Stream]

    def copy(self) -> _Found:
        """Returns the same in other lists."""
        return _Found([*self.attributes], [*self.copies], [*self.starts], [*self.streams])

    def add(self, attributes: object, copy: object, start: int | None, stream: Stream) -> int:
        """Adds what is known of a point, and returns its place."""
        self.attributes.append(attributes)
        self.copies.append(copy)
        self.starts.append(start)
        self.streams.append(stream)
        return len(self.streams) - 1

    def chosen(self, places: Sequence[int]) -> _Found:
        """Returns what is known of some of the points."""
        attributes, copies, starts, streams = self
        return _Found(
            [attributes[place] for place in places],
            [copies[place] for place in places],
            [starts[place] for place in places],
            [streams[place] for place in places],
        )


class Streams:
    """Finds the stream of each data point.

    The SDK hands out the same attributes object for a stream at every collection, and its data points in the same
    order; so mostly a comparison with the export before answers for all at once. Attributes are compared as objects and
    with a copy of what they held, so that new objects and those that somebody changed in place are looked at again.
    (A change in place to what is equal, as from 1 to True, is not seen; the SDK changes nothing in place.)

    Args:
        family: Whose streams they are.
        claims: Where their series are claimed.
        labels: From a data point's attributes to what they become.
        refuse: Told of each data point that gets no stream, and why.
        beginnings: Decides on seeds, where the family has them.
    """

    def __init__(
        self,
        family: Family,
        claims: Claims,
        labels: Callable[[Mapping[str, Any]], LabelSet],
        refuse: Callable[[Untranslatable], None],
        beginnings: Beginnings | None = None,
    ) -> None:
        self.family = family
        self._claims = claims
        self._labels = labels
        self._refuse = refuse
        self._beginnings = beginnings
        self._found = _Found([], [], [], [])
        self._without_room: dict[int, object] = {}
        self._new: dict[Stream, int] = {}

    def find(self, points: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Stream]]:
        """Find the streams of data points.

        Args:
            points: The SDK's data points; what is read of them is ``attributes`` and ``start_time_unix_nano``.

        Returns:
            The points that have a stream, and their streams in the same order: the same list as the last time if
            nothing changed.
        """
        if self._are_as_before(points):
            return points, self._found.streams
        return self._find_anew(points)

    def seeds(self) -> Mapping[int, int]:
        """Returns the seeds of streams found last, by position; each is given once."""
        if self._beginnings is None:
            return {}
        new, self._new = self._new, {}
        return self._beginnings.seeds(self.family, self._found.streams, new)

    def keep_only(self, points: Sequence[Any]) -> None:
        """Give up the streams, and their claims, whose attributes are not among those of some data points."""
        if self._are_as_before(points):
            return
        present = {id(getattr(point, "attributes", None)) for point in points}
        stays = [id(attributes) in present for attributes in self._found.attributes]
        self._give_up([stream for stream, it_stays in zip(self._found.streams, stays, strict=True) if not it_stays])
        self._found = self._found.chosen([place for place, it_stays in enumerate(stays) if it_stays])

    def forget(self) -> None:
        """Give up all streams and their claims."""
        self._find_anew(())

    def _are_as_before(self, points: Sequence[Any]) -> bool:
        try:
            attributes = [point.attributes for point in points]
            before = self._found
            return (
                len(attributes) == len(before.attributes)
                and all(map(is_, attributes, before.attributes))
                and attributes == before.copies
                and [point.start_time_unix_nano for point in points] == before.starts
            )
        except Exception:  # noqa: BLE001 - which of them cannot be read or compared shows when they are looked at
            return False

    def _find_anew(self, points: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Stream]]:
        places, left = self._recognised(points)
        candidates = self._found.copy()
        refused = self._take_up(points, places, candidates, [candidates.streams[place] for place in left])
        # A data point that was refused is looked at again in the next export, for these have not its number: what stood
        # in its way may be gone.
        found = candidates.chosen([place for place in places if place is not None])
        unchanged = found.streams == self._found.streams
        self._found = found._replace(streams=self._found.streams) if unchanged else found
        beyond = [points[position].attributes for position, error in refused.items() if isinstance(error, OverBudget)]
        self._without_room = {id(attributes): attributes for attributes in beyond}
        for _, error in sorted(refused.items()):
            self._refuse(error)  # last, for it logs, which may run code of the application
        if refused:
            points = list(compress(points, [place is not None for place in places]))
        return points, self._found.streams

    def _recognised(self, points: Sequence[Any]) -> tuple[list[int | None], Collection[int]]:
        """Find where each point that is as it was stood in the export before, and the places that are left then."""
        held, copies, starts, _ = self._found
        left = dict(zip(map(id, held), range(len(held)), strict=True))
        shadowed = [] if len(left) == len(held) else [place for place, of in enumerate(held) if left[id(of)] != place]
        places: list[int | None] = []
        for point in points:
            try:
                attributes = point.attributes
                place = left.get(id(attributes))
                if place is not None:
                    if copies[place] == attributes and starts[place] == point.start_time_unix_nano:
                        del left[id(attributes)]
                    else:
                        place = None
            except Exception:  # noqa: BLE001 - what is wrong with it shows when it is looked at
                place = None
            places.append(place)
        # An object that two data points had when it held one thing and then another is there once, under the second.
        return places, [*left.values(), *shadowed]

    def _take_up(
        self, points: Sequence[Any], places: list[int | None], candidates: _Found, left: Iterable[Stream]
    ) -> dict[int, Untranslatable]:
        """Take up the points that are not as they were, and give up the streams that are left then.

        Args:
            points: The data points.
            places: The place in ``candidates`` of each; gets those of what becomes known.
            candidates: What is known from before; grows by what becomes known.
            left: The streams that were found before and not yet now.

        Returns:
            Why not, by position.
        """
        refused: dict[int, Untranslatable] = {}
        by_labels = {stream.labels: stream for stream in left}
        new: list[tuple[int, Stream]] = []
        for position in [position for position, place in enumerate(places) if place is None]:
            try:
                place, stream = self._look_at(points[position], by_labels, candidates)
            except Exception as error:  # noqa: BLE001 - attributes of any kind of wrong
                refused[position] = _reason(error)
            else:
                places[position] = place
                if by_labels.pop(stream.labels, None) is None:
                    new.append((position, stream))
        self._give_up(by_labels.values())
        for place, reason in self._claims.claim_all(self.family, [stream.labels for _, stream in new]).items():
            position, stream = new[place]
            refused[position] = reason
            places[position] = None
            self._new.pop(stream, None)
        return refused

    def _give_up(self, streams: Collection[Stream]) -> None:
        self._claims.release_all(self.family, [stream.labels for stream in streams])
        for stream in streams:
            self._new.pop(stream, None)

    def _look_at(self, point: Any, by_labels: Mapping[Labels, Stream], candidates: _Found) -> tuple[int, Stream]:
        """Find the stream of a point that is not as it was, by its labels or a new one, and add both."""
        attributes, start = point.attributes, point.start_time_unix_nano
        if attributes is not None and not isinstance(attributes, (dict, Mapping)):  # the SDK's are dicts: soon answered
            raise Untranslatable("attributes", f"attributes of type {type(attributes).__name__} are no mapping")
        if id(attributes) in self._without_room:
            self._claims.check_room(self.family)
        began = milliseconds(start or 0)
        copy, labels = self._labels(attributes or {})
        stream = by_labels.get(labels)
        if stream is None or stream.start != began:
            stream = Stream(labels, began)
            if self._beginnings and (seed := self._beginnings.seed(point)) is not None:
                self._new[stream] = seed
        return candidates.add(attributes, None if attributes is None else copy, start, stream), stream


def _reason(error: Exception) -> Untranslatable:
    if isinstance(error, Untranslatable):
        return error
    return Untranslatable("attributes", f"its attributes cannot be read ({type(error).__name__})")
