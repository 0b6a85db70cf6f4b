"""The headers of a request, from several sources and onto the wire."""

from __future__ import annotations

from collections.abc import Mapping


def merged(*parts: Mapping[str, str]) -> dict[str, str]:
    """Merge several sets of headers; later ones replace earlier ones, ignoring case."""
    by_lower_case = {name.lower(): (name, value) for part in parts for name, value in part.items()}
    return dict(by_lower_case.values())


def on_the_wire(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers so that ``http.client``, which writes Latin-1, sends UTF-8."""
    return {name: value.encode("utf-8", "replace").decode("latin-1") for name, value in headers.items()}
