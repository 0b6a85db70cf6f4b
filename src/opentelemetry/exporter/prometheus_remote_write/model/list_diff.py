"""The difference between two lists of mostly the same items in mostly the same order."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import count, groupby, pairwise, repeat
from typing import NamedTuple

from ..system.time_slice import TimeSlice

_LONGEST_BLOCK = 1000  # items, so that whoever handles a block is done with it soon


class Block(NamedTuple):
    """Adjacent items that were also adjacent in the earlier list, in the same order, or are all new; not too many.

    Args:
        here: Their positions.
        before: Their earlier positions; None if they are new.
    """

    here: slice
    before: slice | None


class ListDiff(NamedTuple):
    """Two lists side by side.

    Args:
        before: The first list.
        now: The second list.
        blocks: All items of the second list, in order.
        gone: The positions of those items of the first list that are not in the second.
    """

    before: Sequence[Hashable]
    now: Sequence[Hashable]
    blocks: list[Block]
    gone: list[int]


def list_diff(
    before: Sequence[Hashable],
    now: Sequence[Hashable],
    known: ListDiff | None = None,
    time_slice: TimeSlice | None = None,
) -> ListDiff:
    """Compare two lists.

    Made for lists that keep most of their order: in a shuffled list each item is a block of its own.

    Args:
        before: Of equal items, all but the last count as gone.
        now: Of equal items, all but the first count as new.
        known: An earlier result, returned if it compares these very lists.
        time_slice: Yields the GIL between pieces of work.
    """
    if known is not None and known.before is before and known.now is now:
        return known
    if not before:
        return ListDiff(before, now, list(_blocks(0, len(now), None)), [])
    time_slice = time_slice or TimeSlice()
    left: dict[Hashable, int] = {}
    place = count()
    for (some,) in time_slice.blocks(before):
        left.update(zip(some, place, strict=False))
    shadowed: list[int] = []
    if len(left) < len(before):
        shadowed = [place for place, item in enumerate(time_slice.between(before)) if left[item] != place]
    places: list[int | None] = []
    for (some,) in time_slice.blocks(now):
        places.extend(map(left.pop, some, repeat(None)))
    blocks: list[Block] = []
    start = 0
    for distance, end in _runs(places, time_slice):
        blocks += _blocks(start, end, distance)
        start = end
    gone = [*time_slice.between(left.values()), *shadowed]
    time_slice.discard(left, places)
    return ListDiff(before, now, blocks, gone)


def _blocks(start: int, end: int, distance: int | None) -> Iterator[Block]:
    """Yield adjacent items that have moved together in blocks."""
    for first, last in pairwise([*range(start, end, _LONGEST_BLOCK), end]):
        yield Block(slice(first, last), None if distance is None else slice(first + distance, last + distance))


def _runs(places: Sequence[int | None], time_slice: TimeSlice) -> Iterator[tuple[int | None, int]]:
    """Yield how far each run of adjacent items has moved, None if they are new, and where it ends."""
    end = 0
    run: int | None = None
    for (some,) in time_slice.blocks(places):
        moved = [None if place is None else place - position for position, place in enumerate(some, end)]
        for distance, together in groupby(moved):
            if distance != run and end:
                yield run, end
            run = distance
            end += len(list(together))
    if end:
        yield run, end
