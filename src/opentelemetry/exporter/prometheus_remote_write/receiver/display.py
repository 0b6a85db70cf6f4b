"""Three ways of showing what arrives: a table that refreshes on a terminal, a table for each push, lines of JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TextIO

from .json_lines import json_lines
from .notation import printable
from .received import Rejected
from .table import Table, cut, render

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from .received import Received

_TOP, _END_OF_LINE, _END_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


class Display(Protocol):
    """Where requests are shown."""

    def add(self, request: Received | Rejected) -> None:
        """Take note of a request."""

    def refresh(self) -> None:
        """Make visible what was added."""


class JsonDisplay:
    """One line of JSON for each sample.

    Args:
        out: Where to write.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def add(self, request: Received | Rejected) -> None:
        """Write a request's samples."""
        if not isinstance(request, Rejected):
            self._out.writelines(f"{line}\n" for line in json_lines(request))

    def refresh(self) -> None:
        """Hand on what was written."""
        self._out.flush()


class PushDisplay:
    """A table for each push, one below the other.

    Args:
        out: Where to write.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._table = Table()
        self._pushes = 0

    def add(self, request: Received | Rejected) -> None:
        """Write the table of a push."""
        if not isinstance(request, Rejected):
            self._pushes += 1
            lines = [_title(request, self._pushes), *render(self._table.add(request)), ""]
            self._out.writelines(f"{line}\n" for line in lines)

    def refresh(self) -> None:
        """Hand on what was written."""
        self._out.flush()


class ScreenDisplay:
    """One table of everything seen, redrawn in place.

    Args:
        out: A terminal.
        url: Where pushes are received.
        size: Tells the terminal's columns and lines.
    """

    def __init__(self, out: TextIO, url: str, size: Callable[[], os.terminal_size]) -> None:
        self._out = out
        self._url = url
        self._size = size
        self._table = Table()
        self._pushes = 0
        self._title = "waiting for the first push"
        self._rejected = 0
        self._last_rejection = ""

    def add(self, request: Received | Rejected) -> None:
        """Enter a push into the table, or count a rejection."""
        if isinstance(request, Rejected):
            self._rejected += 1
            self._last_rejection = f"{request.status} {printable(request.reason)}"
        else:
            self._pushes += 1
            self._title = _title(request, self._pushes)
            self._table.add(request)

    def refresh(self) -> None:
        """Draw the table over the one before."""
        size = self._size()
        notes = [f"rejected {self._rejected}, the last one with {self._last_rejection}"] if self._rejected else []
        above = [cut(line, size.columns) for line in (self._url, self._title, *notes)]
        # The last line stays free for the cursor: a line feed there would scroll the title away.
        height = max(size.lines - len(above) - 1, 1)
        lines = [*above, *render(self._table.rows, width=size.columns, height=height)]
        self._out.write(_TOP + "".join(f"{line}{_END_OF_LINE}\n" for line in lines) + _END_OF_SCREEN)
        self._out.flush()


def _title(received: Received, number: int) -> str:
    again = ", the same again" if received.repeated else ""
    size = f"{len(received.series)} series, {len(received.body)} bytes"
    return f"push {number}: protocol {received.protocol}, {size}{again}"
