"""Which streams of a metric somebody wants to see, by the values of their labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from ...model.remote_write import Labels

Wanted: TypeAlias = Mapping[str, frozenset[str]]
"""By label name which values are wanted; the empty string stands for a stream that has no such label."""

_SHOWN_VALUES = 50


def parse(texts: Iterable[str]) -> Wanted:
    """Return what is wanted, from texts such as ``http_route=/checkout``."""
    wanted: dict[str, set[str]] = {}
    for text in texts:
        name, found, value = text.partition("=")
        if found:
            wanted.setdefault(name, set()).add(value)
    return {name: frozenset(values) for name, values in wanted.items()}


def matches(labels: Labels, wanted: Wanted, but: str | None = None) -> bool:
    """Tell whether a label set has one of the wanted values of each label, one label perhaps left out of account."""
    if not wanted:
        return True
    values = dict(labels)
    return all(values.get(name, "") in wanted[name] for name in wanted if name != but)


def facets(all_labels: Iterable[Labels], wanted: Wanted) -> list[dict[str, Any]]:
    """Return the labels of a metric's streams with their values, how many streams have each, and which are wanted.

    A value's number is that of the streams that would be shown if it were wanted.
    """
    sets = list(all_labels)
    found = []
    for name in sorted({name for labels in sets for name, _ in labels}):
        counts = Counter(dict(labels).get(name, "") for labels in sets if matches(labels, wanted, but=name))
        for value in wanted.get(name, ()):
            counts.setdefault(value, 0)
        chosen = wanted.get(name, frozenset())
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
