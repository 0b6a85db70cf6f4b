"""The difference between two lists of mostly the same items in mostly the same order."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import count, groupby, repeat
from typing import NamedTuple


class Block(NamedTuple):
    """Adjacent items that were also adjacent in the earlier list, in the same order, or are all new.

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


def list_diff(before: Sequence[Hashable], now: Sequence[Hashable], known: ListDiff | None = None) -> ListDiff:
    """Compare two lists.

    Made for lists that keep most of their order: in a shuffled list each item is a block of its own.

    Args:
        before: Of equal items, all but the last count as gone.
        now: Of equal items, all but the first count as new.
        known: An earlier result, returned if it compares these very lists.
    """
    if known is not None and known.before is before and known.now is now:
        return known
    if not before:
        return ListDiff(before, now, [Block(slice(0, len(now)), None)] if now else [], [])
    left = dict(zip(before, count(), strict=False))
    shadowed = [] if len(left) == len(before) else [place for place, item in enumerate(before) if left[item] != place]
    places = list(map(left.pop, now, repeat(None)))
    moved = [None if place is None else place - position for position, place in enumerate(places)]
    blocks: list[Block] = []
    start = 0
    for distance, together in groupby(moved):
        end = start + len(list(together))
        stood = None if distance is None else slice(start + distance, end + distance)
        blocks.append(Block(slice(start, end), stood))
        start = end
    return ListDiff(before, now, blocks, [*left.values(), *shadowed])
