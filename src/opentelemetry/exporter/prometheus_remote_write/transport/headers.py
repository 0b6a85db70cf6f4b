"""The headers of a request, and what of them must not be shown."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping

SECRET_LENGTH = 8
"""A shorter value of an unknown header is hardly a secret, and to hide each "5" would garble messages."""


def merged(*parts: Mapping[str, str]) -> dict[str, str]:
    """One set of headers out of several, later ones taking the place of earlier ones whatever their case."""
    by_lower_case = {name.lower(): (name, value) for part in parts for name, value in part.items()}
    return dict(by_lower_case.values())


def on_the_wire(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers for ``http.client``, which writes Latin-1, in such a way that UTF-8 goes over the wire."""
    return {name: value.encode("utf-8", "replace").decode("latin-1") for name, value in headers.items()}


def secrets(headers: Mapping[str, str]) -> Iterator[bytes]:
    """The parts of headers that must not be shown, as they go over the wire.

    Args:
        headers: Those that the user has set, or that hold credentials.
    """
    for name, value in headers.items():
        if name.lower() not in {"authorization", "proxy-authorization"}:
            if len(value) >= SECRET_LENGTH:
                yield value.encode("utf-8", "replace")
            continue
        scheme, _, credentials = value.partition(" ")
        yield (credentials or scheme).encode("utf-8", "replace")
        if scheme.lower() == "basic":
            try:
                yield b64decode(credentials).partition(b":")[2]
            except ValueError:  # written by the user
                continue
