"""What arrives, as a table for people."""

from __future__ import annotations

import math
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from .notation import label_list, printable, value_text
from .received import Histogram

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..model.remote_write import Labels
    from .received import Received

_HEAD = ("SERIES", "VALUE", "CHANGE", "LABELS")


class Row(NamedTuple):
    """A series with its last value and the one of the push before, which is None for a new series."""

    labels: Labels
    value: float | Histogram
    previous: float | Histogram | None


class Table:
    """The last two values of every series seen."""

    def __init__(self) -> None:
        self._rows: dict[Labels, Row] = {}

    @property
    def rows(self) -> list[Row]:
        """A row for every series seen."""
        return list(self._rows.values())

    def add(self, received: Received) -> list[Row]:
        """Enter a push and return the rows that it touched."""
        touched = []
        for series in received.series:
            values: list[float | Histogram] = [*(sample.value for sample in series.samples), *series.histograms]
            if values:
                known = self._rows.get(series.labels)
                row = Row(series.labels, values[-1], known.value if known else None)
                self._rows[series.labels] = row
                touched.append(row)
        return touched


def render(rows: Sequence[Row], *, width: int | None = None, height: int | None = None) -> list[str]:
    """Return rows as aligned lines, sorted, with the labels that all of them share written once above.

    Args:
        rows: What to show.
        width: Columns of the terminal, to which lines are cut; None cuts nothing.
        height: The most lines to return; what does not fit is counted in the last one. None has no limit.
    """
    shared = _shared(rows)
    above = [f"on every series: {label_list(shared)}"] if shared else []
    room = len(rows) if height is None else height - len(above) - 1
    shown = sorted(rows, key=_order)
    if len(shown) > room:
        shown = shown[: max(room - 1, 0)]
    cells = [_HEAD, *(_cells(row, shared) for row in shown)]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    lines = above + [
        f"{_left(name, widths[0])}  {_right(value, widths[1])}  {_right(change, widths[2])}  {labels}".rstrip()
        for name, value, change, labels in cells
    ]
    if hidden := len(rows) - len(shown):
        lines.append(f"… and {hidden} more series")
    lines = lines[:height]
    return lines if width is None else [cut(line, width) for line in lines]


def cut(text: str, width: int) -> str:
    """Return text that takes no more than so many columns, the end replaced by an ellipsis where it is longer."""
    if _width(text) <= width:
        return text
    used, end = 0, 0
    while used + _char_width(text[end]) < width:
        used += _char_width(text[end])
        end += 1
    return f"{text[:end]}…"


def _cells(row: Row, shared: Labels) -> tuple[str, str, str, str]:
    own = tuple(label for label in row.labels if label[0] != "__name__" and label not in shared)
    return printable(dict(row.labels)["__name__"]), value_text(row.value), _change(row), label_list(own)


def _change(row: Row) -> str:
    if row.previous is None:
        return "new"
    now, before = (each.count if isinstance(each, Histogram) else each for each in (row.value, row.previous))
    difference = now - before
    if math.isnan(difference):
        return ""
    if not difference:
        return "="
    return f"+{value_text(difference).lstrip('+')}" if difference > 0 else value_text(difference)


def _shared(rows: Iterable[Row]) -> Labels:
    """Return the labels that every row has with the same value; of a single row, none."""
    sets = [set(row.labels) for row in rows]
    return tuple(sorted(set.intersection(*sets) - {("__name__", "")})) if len(sets) > 1 else ()


def _order(row: Row) -> tuple[str, list[tuple[str, float, str]]]:
    """Sort by name, then labels, numbers among them by size: ``le="5"`` comes before ``le="10"``."""
    return dict(row.labels)["__name__"], [(name, _number(value), value) for name, value in row.labels]


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return math.inf
    return math.inf if math.isnan(number) else number


def _width(text: str) -> int:
    return sum(_char_width(char) for char in text)


def _char_width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _left(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _right(text: str, width: int) -> str:
    return " " * (width - _width(text)) + text
