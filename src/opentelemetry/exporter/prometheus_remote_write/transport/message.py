"""Foreign text made fit for a message: one line, short, and without our secrets."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit, urlunsplit

SHOWN_BYTES = 256
"""How much of what the receiver said a message holds."""


def shown_words(data: bytes) -> str:
    """The beginning of a text as one line: white space and characters that cannot be seen become single spaces."""
    text = data[:SHOWN_BYTES].decode("utf-8", "replace")
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def shown_url(url: str) -> str:
    """A URL without what may be secret: userinfo, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a malformed URL"
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
    return shown_words(urlunsplit(bare).encode("utf-8", "replace"))


def redacted(data: bytes, secrets: Iterable[bytes]) -> bytes:
    """A text with ``***`` in the place of each secret: a receiver may well repeat what it was sent."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        data = data.replace(secret, b"***")
    return data
