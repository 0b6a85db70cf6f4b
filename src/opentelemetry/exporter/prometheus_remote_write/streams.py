"""The streams of one family, found again from export to export."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from operator import is_
from typing import Any, NamedTuple

from opentelemetry.exporter.prometheus_remote_write.beginnings import Beginnings
from opentelemetry.exporter.prometheus_remote_write.errors import OverBudget, Untranslatable
from opentelemetry.exporter.prometheus_remote_write.model import Labels
from opentelemetry.exporter.prometheus_remote_write.series import Claims, Family, Stream
from opentelemetry.exporter.prometheus_remote_write.timestamps import milliseconds

_UNCHANGING = frozenset({str, bool, int, float, bytes})


class _Known(NamedTuple):
    attributes: object  # held, so that no other object can have its id
    copy: object
    stream: Stream
    start: int | None


class Streams:
    """Finds the stream of each data point.

    The SDK hands out the same attributes object for a stream at every collection, and its data points in the same
    order; so mostly a comparison with the export before answers for all at once. Attributes are compared as objects and
    with a copy of what they held, so that new objects and those that somebody changed in place are looked at again.
    (A change in place to what is equal, as from 1 to True, is not seen; the SDK changes nothing in place.)

    Args:
        family: Whose streams they are.
        claims: Where their series are claimed.
        labels: From a data point's attributes to its labels.
        refuse: Told of each data point that gets no stream, and why.
        beginnings: Decides on seeds, where the family has them.
    """

    def __init__(
        self,
        family: Family,
        claims: Claims,
        labels: Callable[[Mapping[str, Any]], Labels],
        refuse: Callable[[Untranslatable], None],
        beginnings: Beginnings | None = None,
    ) -> None:
        self.family = family
        self._claims = claims
        self._labels = labels
        self._refuse = refuse
        self._beginnings = beginnings
        self._attributes: list[object] = []
        self._copies: list[object] = []
        self._starts: list[int | None] = []
        self._streams: list[Stream] = []
        self._known: dict[int, _Known] = {}
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
            return points, self._streams
        return self._find_anew(points)

    def seeds(self) -> Mapping[int, int]:
        """Returns the seeds of streams found last, by position; each is given once."""
        if self._beginnings is None:
            return {}
        new, self._new = self._new, {}
        return self._beginnings.seeds(self.family, self._streams, new)

    def keep_only(self, points: Sequence[Any]) -> None:
        """Give up the streams, and their claims, whose attributes are not among those of some data points."""
        if self._are_as_before(points):
            return
        present = {id(getattr(point, "attributes", None)) for point in points}
        for known in list(self._known.values()):
            if id(known.attributes) not in present:
                self._claims.release(self.family, known.stream.labels)
                self._new.pop(known.stream, None)
                del self._known[id(known.attributes)]
        self._streams = [known.stream for known in self._known.values()]
        self._attributes = []

    def forget(self) -> None:
        """Give up all streams and their claims."""
        self._find_anew(())

    def _are_as_before(self, points: Sequence[Any]) -> bool:
        try:
            attributes = [point.attributes for point in points]
            return (
                len(attributes) == len(self._attributes)
                and all(map(is_, attributes, self._attributes))
                and attributes == self._copies
                and [point.start_time_unix_nano for point in points] == self._starts
            )
        except Exception:  # noqa: BLE001 - which of them cannot be read or compared shows when they are looked at
            return False

    def _find_anew(self, points: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Stream]]:
        here, left = self._recognised(points)
        refused = self._take_up(points, here, {known.stream.labels: known.stream for known in left.values()})
        beyond = [points[position].attributes for position, error in refused.items() if isinstance(error, OverBudget)]
        self._without_room = {id(attributes): attributes for attributes in beyond}
        # A data point that was refused is looked at again in the next export, for these have not its number: what stood
        # in its way may be gone.
        found = [known for known in here if known]
        columns = map(list, zip(*found, strict=True)) if found else ([], [], [], [])
        self._attributes, self._copies, streams, self._starts = columns
        self._known = dict(zip(map(id, self._attributes), found, strict=True))
        if streams != self._streams:
            self._streams = streams
        for _, error in sorted(refused.items()):
            self._refuse(error)  # last, for it logs, which may run code of the application
        return [point for point, known in zip(points, here, strict=True) if known], self._streams

    def _take_up(
        self, points: Sequence[Any], here: list[_Known | None], left: dict[Labels, Stream]
    ) -> dict[int, Untranslatable]:
        """Take up the points that are not as they were, and give up the streams that are left then.

        Args:
            points: The data points.
            here: What is known of each; gets what becomes known.
            left: The streams that were found before and not yet now, by their labels.

        Returns:
            Why not, by position.
        """
        refused: dict[int, Untranslatable] = {}
        new: list[tuple[int, Stream]] = []
        for position, point in enumerate(points):
            if here[position] is None:
                try:
                    here[position] = known = self._look_at(point, left)
                except Exception as error:  # noqa: BLE001 - attributes of any kind of wrong
                    refused[position] = _reason(error)
                else:
                    if left.pop(known.stream.labels, None) is None:
                        new.append((position, known.stream))
        for stream in left.values():
            self._claims.release(self.family, stream.labels)
            self._new.pop(stream, None)
        for place, reason in self._claims.claim_all(self.family, [stream.labels for _, stream in new]).items():
            position, stream = new[place]
            refused[position] = reason
            here[position] = None
            self._new.pop(stream, None)
        return refused

    def _recognised(self, points: Sequence[Any]) -> tuple[list[_Known | None], dict[int, _Known]]:
        """Find what is known of each point that is as it was, and what is left then."""
        left = self._known.copy()
        try:
            attributes = [point.attributes for point in points]
            starts = [point.start_time_unix_nano for point in points]
            here = [left.pop(number, None) for number in map(id, attributes)]
            changed = [
                (position, known)
                for position, known in enumerate(here)
                if known and (known.copy != attributes[position] or known.start != starts[position])
            ]
        except Exception:  # noqa: BLE001 - one of them cannot be read or compared; the others are as they were
            left = self._known.copy()
            return [self._recognised_alone(point, left) for point in points], left
        for position, known in changed:
            here[position] = None
            left[id(known.attributes)] = known
        return here, left

    @staticmethod
    def _recognised_alone(point: Any, left: dict[int, _Known]) -> _Known | None:
        """Find what is known of one point, and take it out of what is left."""
        try:
            known = left.get(id(point.attributes))
            if known is None or known.copy != point.attributes or known.start != point.start_time_unix_nano:
                return None
        except Exception:  # noqa: BLE001 - what is wrong with it shows when it is looked at
            return None
        return left.pop(id(known.attributes))

    def _look_at(self, point: Any, by_labels: Mapping[Labels, Stream]) -> _Known:
        """Find the stream of a point that is not as it was: by its labels, or a new one."""
        attributes, start = point.attributes, point.start_time_unix_nano
        if attributes is not None and not isinstance(attributes, Mapping):
            raise Untranslatable("attributes", f"attributes of type {type(attributes).__name__} are no mapping")
        if id(attributes) in self._without_room:
            self._claims.check_room(self.family)
        began = milliseconds(start or 0)
        labels = self._labels(attributes or {})
        stream = by_labels.get(labels)
        if stream is None or stream.start != began:
            stream = Stream(labels, began)
            if self._beginnings and (seed := self._beginnings.seed(point)) is not None:
                self._new[stream] = seed
        return _Known(attributes, _copied(attributes), stream, start)


def _reason(error: Exception) -> Untranslatable:
    if isinstance(error, Untranslatable):
        return error
    return Untranslatable("attributes", f"its attributes cannot be read ({type(error).__name__})")


def _copied(attributes: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A copy to compare with, also of values that can be changed in place; the SDK has none such."""
    if attributes is None:
        return None
    copy = dict(attributes)
    if not _UNCHANGING.issuperset(map(type, copy.values())):
        return deepcopy(copy)
    return copy
