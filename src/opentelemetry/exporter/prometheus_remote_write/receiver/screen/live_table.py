"""A table that is refilled while it is displayed: the cursor stays on its row, whatever comes and goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from ..notation import printable

_NARROWEST = 12
_SCROLLBAR = 1
_GONE = "grey50"


class Column(NamedTuple):
    """A column: its head, its width with a blank beside it, and where its text goes; that of width 0 takes the rest."""

    head: str
    width: int
    is_right: bool = False


class TableRow(NamedTuple):
    """A row: by what it is known, its cells, and whether it is grey."""

    key: str
    cells: Sequence[str]
    is_gone: bool = False


class LiveTable(DataTable[Text]):
    """A table with a cursor that is a whole row.

    Args:
        columns: The columns, from the left.
        id: The name for styles and look-ups.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("home", "scroll_top", "first row"),
        Binding("end", "scroll_bottom", "last row"),
    ]

    def __init__(self, columns: Sequence[Column], *, id: str | None = None) -> None:  # noqa: A002 - the base class's name
        super().__init__(id=id, cursor_type="row", zebra_stripes=False, cell_padding=0)
        self._wanted = columns
        self._rows: list[TableRow] = []
        self._room = 0

    def show(self, rows: Sequence[TableRow]) -> None:
        """Show rows in place of those shown before."""
        if self._room != self._width_of_the_rest():
            self._lay_out()
        same = [row.key for row in rows] == [row.key for row in self._rows]
        if same:
            for number, (row, before) in enumerate(zip(rows, self._rows, strict=True)):
                if row != before:
                    for place, cell in enumerate(self._cells(row)):
                        self.update_cell_at((number, place), cell)  # type: ignore[arg-type]  # a plain pair will do
        else:
            self._fill(rows)
        self._rows = list(rows)

    @property
    def chosen(self) -> str | None:
        """The key of the row under the cursor."""
        return self._rows[self.cursor_row].key if 0 <= self.cursor_row < len(self._rows) else None

    def _fill(self, rows: Sequence[TableRow]) -> None:
        chosen, top = self.chosen, self.scroll_y
        self.clear()
        for row in rows:
            self.add_row(*self._cells(row), key=row.key)
        places = {row.key: number for number, row in enumerate(rows)}
        self.move_cursor(row=places.get(chosen or "", 0), scroll=False)
        self.scroll_to(y=top, animate=False)

    def _lay_out(self) -> None:
        rows, self._rows = self._rows, []
        self._room = self._width_of_the_rest()
        self.clear(columns=True)
        for column in self._wanted:
            head = Text(column.head, justify="right" if column.is_right else "left")
            self.add_column(head, width=column.width or self._room)
        self._fill(rows)
        self._rows = rows

    def _width_of_the_rest(self) -> int:
        return max(self.app.size.width - sum(column.width for column in self._wanted) - _SCROLLBAR, _NARROWEST)

    def _cells(self, row: TableRow) -> list[Text]:
        return [
            Text(
                fitted(printable(text), (column.width or self._room) - 1) + ("" if column.is_right else " "),
                style=_GONE if row.is_gone else "",
                justify="right" if column.is_right else "left",
                no_wrap=True,
            )
            for text, column in zip(row.cells, self._wanted, strict=True)
        ]


def fitted(text: str, width: int) -> str:
    """Return a text of at most so many columns; a longer one loses its middle, because names differ at their ends."""
    if Text(text).cell_len <= width:
        return text
    end = (width - 1) // 2
    begin = width - 1 - end
    while begin + end > 2 and Text(text[:begin] + text[-end:]).cell_len > width - 1:  # noqa: PLR2004 - one of each
        begin, end = (begin - 1, end) if begin > end else (begin, end - 1)
    return f"{text[:begin]}…{text[-end:]}"
