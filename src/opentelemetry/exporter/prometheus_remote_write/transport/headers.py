"""The headers of a request, and what of them must not be shown."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping

SECRET_LENGTH = 8
"""A shorter value of an unknown header is hardly a secret, and to hide each "5" would garble messages."""


def merged(*parts: Mapping[str, str]) -> dict[str, str]:
    """One set of headers out of several, later ones taking the place of earlier ones whatever their case.

    Values are written so that UTF-8 goes over the wire: HTTP itself knows Latin-1, and so does ``http.client``.
    """
    by_lower_case = {name.lower(): (name, value) for part in parts for name, value in part.items()}
    return {name: value.encode("utf-8", "replace").decode("latin-1") for name, value in by_lower_case.values()}


def secrets(headers: Mapping[str, str]) -> Iterator[bytes]:
    """The parts of merged headers that must not be shown, as they go over the wire.

    Args:
        headers: Those that the user has set, or that hold credentials.
    """
    for name, value in headers.items():
        if name.lower() not in {"authorization", "proxy-authorization"}:
            if len(value) >= SECRET_LENGTH:
                yield value.encode("latin-1")
            continue
        scheme, _, credentials = value.partition(" ")
        yield (credentials or scheme).encode("latin-1")
        if scheme.lower() == "basic":
            try:
                yield b64decode(credentials).partition(b":")[2]
            except ValueError:  # written by the user
                continue
