"""The screen of `otel-prw receive`: one row a metric, and behind it streams, targets and rejections."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import ContentSwitcher, Input, Static

from ..notation import label_list, printable
from ..quantities import unit_of
from ..store import Store
from . import views
from .live_table import LiveTable, TableRow

_REFRESH = 1.0  # seconds
_HINTS = {
    "metrics": "/ filter  s sort  Enter open  Tab targets",
    "streams": "/ filter  Esc back",
    "targets": "Tab metrics",
    "rejections": "Esc back",
}


class ReceiverScreen(App[None]):
    """The screen.

    Args:
        store: What is shown.
        url: Where to push.
        page: Where a browser shows the same.
        once: End after so many accepted pushes of series; None goes on.
    """

    CSS = """
    #title, #hint { height: 1; padding: 0 1; }
    #title { text-style: bold; }
    #about { height: auto; max-height: 3; padding: 0 1; }
    #bars { height: auto; max-height: 12; padding: 0 1; }
    #filter { display: none; height: 1; border: none; }
    #filter.open { display: block; }
    ContentSwitcher { height: 1fr; }
    LiveTable { height: 1fr; scrollbar-size-vertical: 1; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "quit"),
        Binding("ctrl+c", "quit", "quit", priority=True),
        Binding("slash", "filter", "filter", priority=True),  # so that the next key, here already, is for the filter
        Binding("s", "sort", "sort"),
        Binding("tab", "targets", "targets", priority=True),
        Binding("r", "rejections", "rejections"),
        Binding("escape", "return", "back", priority=True),
    ]

    def __init__(self, store: Store, url: str, page: str, once: int | None = None) -> None:
        # Textual draws on standard error, which may be a file; standard output is the terminal.
        sys.__stderr__ = sys.__stdout__  # type: ignore[misc]  # read by its driver
        super().__init__()
        self._store = store
        self._url = url
        self._page = page
        self._once = once
        self._metric: str | None = None
        self._order = 0
        self._wanted = {"metrics": "", "streams": ""}

    def compose(self) -> ComposeResult:
        """Lay out the screen: a title, one of four tables, and what belongs to it."""
        yield Static(id="title", markup=False)
        yield Static(id="about", markup=False)
        with ContentSwitcher(initial="metrics"):
            yield LiveTable(views.METRICS, id="metrics")
            yield LiveTable(views.STREAMS, id="streams")
            yield LiveTable(views.TARGETS, id="targets")
            yield LiveTable(views.REJECTIONS, id="rejections")
        yield Static(id="bars", markup=False)
        yield Input(id="filter", placeholder="part of a name")
        yield Static(id="hint", markup=False)

    def on_mount(self) -> None:
        """Begin to show what comes in, and end as Ctrl-C does on signals."""
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self.exit)
        self.set_interval(_REFRESH, self._show)
        self.query_one("#metrics").focus()
        self._show()

    def on_resize(self) -> None:
        """Follow the terminal."""
        self.call_after_refresh(self._show)

    def on_data_table_row_selected(self) -> None:
        """Open the metric under the cursor."""
        if self._view == "metrics" and (name := self._table.chosen) is not None:
            self._metric = name
            self._wanted["streams"] = ""
            self._switch("streams")

    def on_data_table_row_highlighted(self) -> None:
        """Show the buckets of the stream under the cursor."""
        if self._view == "streams":
            self._show()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while somebody types."""
        self._wanted[self._view] = event.value.lower()
        self._show()

    def on_input_submitted(self) -> None:
        """Go back to the table, which stays filtered."""
        self._close_filter()

    def action_filter(self) -> None:
        """Ask for what to look for."""
        if self._view in self._wanted:
            field = self.query_one("#filter", Input)
            field.value = self._wanted[self._view]
            field.add_class("open")
            self.screen.set_focus(field)  # at once, for the same reason

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Leave a slash to the filter where that is open."""
        del parameters
        return action != "filter" or not self.query_one("#filter").has_class("open")

    def action_sort(self) -> None:
        """Sort by the next column."""
        self._order = (self._order + 1) % len(views.ORDERS)
        self._show()

    def action_targets(self) -> None:
        """Show the jobs and instances, or the metrics again."""
        self._switch("metrics" if self._view == "targets" else "targets")

    def action_rejections(self) -> None:
        """Show the rejections, or the metrics again."""
        self._switch("metrics" if self._view == "rejections" else "rejections")

    def action_return(self) -> None:
        """Take back the filter, or go back to the metrics."""
        if self.query_one("#filter").has_class("open"):
            self._wanted[self._view] = ""
            self._close_filter()
        elif self._view == "metrics":
            self._wanted["metrics"] = ""
            self._show()
        else:
            self._switch("metrics")

    @property
    def _view(self) -> str:
        return self.query_one(ContentSwitcher).current or "metrics"

    @property
    def _table(self) -> LiveTable:
        return self.query_one(f"#{self._view}", LiveTable)

    def _switch(self, view: str) -> None:
        self._close_filter()
        self.query_one(ContentSwitcher).current = view
        self.screen.set_focus(self._table)
        self._show()

    def _close_filter(self) -> None:
        self.query_one("#filter").remove_class("open")
        self.screen.set_focus(self._table)
        self._show()

    def _show(self) -> None:
        if self._once is not None and self._store.counts["pushes"] >= self._once:
            self.exit()
        view = self._view
        order = list(views.ORDERS)[self._order]
        about = bars = ""
        if view == "metrics":
            rows = views.metric_rows(self._store, self._wanted["metrics"], order)
            if not self._store.families:
                about = f"OTEL_EXPORTER_PRW_ENDPOINT={self._url}"
        elif view == "streams":
            rows, about, bars = self._streams()
        elif view == "targets":
            rows = views.target_rows(self._store)
        else:
            rows = views.rejection_rows(self._store)
        self._table.show(rows)
        self.query_one("#title", Static).update(views.title(self._store))
        self.query_one("#about", Static).update(about)
        self.query_one("#bars", Static).update(bars)
        self.query_one("#hint", Static).update(self._hint(view, order))
        for name, text in (("#about", about), ("#bars", bars)):
            self.query_one(name).display = bool(text)

    def _streams(self) -> tuple[list[TableRow], str, str]:
        found = views.found_streams(self._store, self._metric or "")
        if found is None:
            return [], f"{printable(self._metric or '')} has not come any more", ""
        family, all_streams = found
        rows = views.stream_rows(all_streams, family, self._wanted["streams"])
        said = family.described
        about = [f"{family.name}  {family.type}  {said.unit}".rstrip(), *said.help.split("\n")[:1]]
        chosen = self._table.chosen or (rows[0].key if rows else None)
        stream = next((each for each in all_streams if label_list(each.labels) == chosen), None)
        unit = unit_of(family.name, said.unit)
        return rows, "\n".join(map(printable, filter(None, about))), views.bars(stream, unit) if stream else ""

    def _hint(self, view: str, order: str) -> str:
        wanted = self._wanted.get(view)
        notes = [f"filter: {wanted}" if wanted else "", f"sorted by {order}" if view == "metrics" else ""]
        return "   ".join(filter(None, [_HINTS[view], *notes, f"q quit   {self._page}"]))
