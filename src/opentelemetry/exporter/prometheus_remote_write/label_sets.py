"""The labels of attribute sets, remembered: the metrics of a scope mostly have the same sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.exporter.prometheus_remote_write.model import Labels

_SETS_KEPT = 1000
_PLAIN = frozenset({str, int, bool})  # whose values are told apart by value and type


class LabelSets:
    """Makes the labels for attributes under one resource and scope, and remembers some.

    Args:
        make: From attributes to labels; it gives the same for the same.
    """

    def __init__(self, make: Callable[[Mapping[str, Any]], Labels]) -> None:
        self._make = make
        self._kept: dict[object, Labels] = {}

    def __call__(self, attributes: Mapping[str, Any]) -> Labels:
        """Returns the labels for attributes; may raise what ``make`` raises."""
        types = tuple(map(type, attributes.values()))
        if not _PLAIN.issuperset(types):
            return self._make(attributes)
        key = (types, *attributes.items())
        labels = self._kept.get(key)
        if labels is None:
            labels = self._make(attributes)
            if len(self._kept) >= _SETS_KEPT:
                self._kept.clear()
            self._kept[key] = labels
        return labels
