"""The page's addresses, and what is answered there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from ..pages import PageAnswer
from ..store import Store
from . import views
from .facets import parse

_STATIC = Path(__file__).with_name("static")
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; "  # plotly.js adds rules of its own; no script is inline
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_PAUSE = 0.5  # seconds between two looks whether the browser and the receiver are still there
_BEATS = 20
_MOST_FIELDS = 100


class Page:
    """What a browser is shown of a store.

    Args:
        store: What was received.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._files = {f"/static/{path.name}": path for path in _STATIC.iterdir() if path.suffix in _TYPES}
        self._files["/"] = _STATIC / "index.html"
        if plotly := _plotly():
            self._files["/static/plotly.js"] = plotly

    def get(self, target: str) -> PageAnswer | None:
        """Return the answer to a request for a target (path and query), or None where there is nothing."""
        path, _, asked_for = target.partition("?")
        if file := self._files.get(path):
            return PageAnswer(_content(file), headers={**_HEADERS, "Content-Type": _TYPES[file.suffix]})
        try:
            asked = parse_qs(asked_for, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError:
            return PageAnswer(b"too much is asked for at once\n", 400)
        if path == "/view/events":
            return PageAnswer(self._events(), headers={**_HEADERS, "Content-Type": "text/event-stream"})
        return _json(self._data(path, asked))

    def _data(self, path: str, asked: dict[str, list[str]]) -> dict[str, Any] | None:
        if path == "/view/metrics":
            return {**views.metrics(self._store), "has_plots": "/static/plotly.js" in self._files}
        if path == "/view/metric":
            return views.metric(self._store, asked.get("name", [""])[0], parse(asked.get("where", [])))
        return views.senders(self._store) if path == "/view/senders" else None

    def _events(self) -> Iterator[bytes]:
        """Yield an event when something has come in, and something to see whether the browser is still there."""
        version = None
        beats = 0
        while True:
            now = self._store.wait(-1 if version is None else version, _PAUSE)
            beats += 1
            if now != version:
                version = now
                yield f"data: {now}\n\n".encode()
            else:
                yield b":\n\n" if beats % _BEATS == 0 else b""


@cache
def _content(file: Path) -> bytes:
    """Return a file's bytes, the same object for all browsers that ask at the same time: plotly.js has megabytes."""
    return file.read_bytes()


def _json(data: dict[str, Any] | None) -> PageAnswer | None:
    if data is None:
        return None
    body = json.dumps(data, allow_nan=False, separators=(",", ":")).encode()
    return PageAnswer(body, headers={**_HEADERS, "Content-Type": "application/json"})


def _plotly() -> Path | None:
    """Return plotly.js as plotly's wheel carries it, without loading plotly."""
    spec = find_spec("plotly")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder, "package_data", "plotly.min.js")).is_file():
            return path
    return None
