"""Which streams of a metric to show, by the values of their labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from ...model.remote_write import Labels

Wanted: TypeAlias = Mapping[str, frozenset[str]]
"""The wanted values by label name; the empty string stands for a stream without that label."""

_SHOWN_VALUES = 50


def parse(texts: Iterable[str]) -> Wanted:
    """Return what is wanted, from texts such as ``http_route=/checkout``."""
    wanted: dict[str, set[str]] = {}
    for text in texts:
        name, found, value = text.partition("=")
        if found:
            wanted.setdefault(name, set()).add(value)
    return {name: frozenset(values) for name, values in wanted.items()}


def matches(labels: Mapping[str, str], wanted: Wanted, but: str | None = None) -> bool:
    """Return whether labels have one of the wanted values of each name, except perhaps one name."""
    return all(labels.get(name, "") in values for name, values in wanted.items() if name != but)


def facets(streams: Iterable[Labels], wanted: Wanted) -> list[dict[str, Any]]:
    """Return the labels of a metric's streams with their values, how many streams have each, and which are wanted.

    A value's number is that of the streams that would be shown if it were wanted.
    """
    all_labels = [dict(labels) for labels in streams]
    found = []
    for name in sorted({name for labels in all_labels for name in labels}):
        counts = Counter(labels.get(name, "") for labels in all_labels if matches(labels, wanted, but=name))
        chosen = wanted.get(name, frozenset())
        for value in chosen:
            counts.setdefault(value, 0)
        ordered = sorted(counts.items(), key=lambda item: (item[0] not in chosen, -item[1], item[0]))
        found.append(
            {
                "label": name,
                "values": [
                    {"value": value, "streams": number, "wanted": value in chosen}
                    for value, number in ordered[:_SHOWN_VALUES]
                ],
                "more": max(len(ordered) - _SHOWN_VALUES, 0),
            }
        )
    return found
