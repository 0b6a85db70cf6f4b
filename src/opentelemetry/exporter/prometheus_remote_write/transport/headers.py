"""The headers of a request, out of several sources and onto the wire."""

from __future__ import annotations

from collections.abc import Mapping


def merged(*parts: Mapping[str, str]) -> dict[str, str]:
    """Return one set of headers out of several, later ones taking the place of earlier ones whatever their case."""
    by_lower_case = {name.lower(): (name, value) for part in parts for name, value in part.items()}
    return dict(by_lower_case.values())


def on_the_wire(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers for ``http.client``, which writes Latin-1, in such a way that UTF-8 goes over the wire."""
    return {name: value.encode("utf-8", "replace").decode("latin-1") for name, value in headers.items()}
