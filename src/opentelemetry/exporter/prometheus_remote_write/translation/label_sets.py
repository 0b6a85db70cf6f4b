"""Attribute sets and their labels, remembered because the metrics of a scope mostly share them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from itertools import chain
from typing import Any, NamedTuple

from ..model.remote_write import Labels
from ..system.time_slice import TimeSlice

_SETS_KEPT = 1000
_PLAIN = frozenset({str, int, bool})  # types whose values are distinguished by value and type
_UNCHANGING = _PLAIN | {float, bytes}


class LabelSet(NamedTuple):
    """Attributes and the labels that they become.

    Args:
        attributes: An unchanging copy; several streams may share it.
        labels: Their labels.
        label_bytes: How many bytes the labels take.
    """

    attributes: Mapping[str, Any]
    labels: Labels
    label_bytes: int


class LabelSets:
    """Makes the labels for attributes under one resource and scope, and remembers some.

    Args:
        make: Returns the labels for attributes; a pure function.
        time_slice: Yields the GIL between pieces of work.
    """

    def __init__(self, make: Callable[[Mapping[str, Any]], Labels], time_slice: TimeSlice | None = None) -> None:
        self._make = make
        self._time_slice = time_slice or TimeSlice()
        self._kept: dict[object, LabelSet] = {}

    def __call__(self, attributes: Mapping[str, Any]) -> LabelSet:
        """Return the labels for attributes; may raise what ``make`` raises."""
        copy = dict(attributes)  # first, because the application may change them meanwhile
        types = tuple(map(type, copy.values()))
        if not _PLAIN.issuperset(types):
            labels = self._make(copy)
            # The SDK's sequences are tuples; mappings, and the values of others, can be changed in place.
            return label_set(copy if _UNCHANGING.issuperset(types) else deepcopy(copy), labels)
        key = (types, *copy.items())
        known = self._kept.get(key)
        if known is None:
            known = label_set(copy, self._make(copy))
            if len(self._kept) >= _SETS_KEPT:
                self._time_slice.discard(self._kept)
                self._kept = {}
            self._kept[key] = known
        return known


def label_set(attributes: Mapping[str, Any], labels: Labels) -> LabelSet:
    """Return an unchanging set of attributes and their labels."""
    return LabelSet(attributes, labels, len("".join(chain.from_iterable(labels)).encode()))
