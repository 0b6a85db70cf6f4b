"""Text that can be sent and text that can be shown.

Protobuf strings are UTF-8; Python's can hold surrogates, which UTF-8 cannot.
"""

from __future__ import annotations

import re

_SURROGATE = "[\ud800-\udfff]"


def valid_text(text: str) -> str:
    """Return a plain string that can be written as UTF-8, each surrogate in it replaced by U+FFFD.

    Surrogates come from undecodable bytes in the environment or in file names (``surrogateescape``).

    Args:
        text: Any string. One of a subclass, such as a member of an ``Enum`` that is a ``str``, gives the characters
            that it holds.
    """
    plain = str.__str__(text)
    return plain if plain.isascii() else re.sub(_SURROGATE, "\N{REPLACEMENT CHARACTER}", plain)


def one_line(text: str, longest: int) -> str:
    """Return the beginning of a text as it may stand in a log: what cannot be seen of it is replaced by U+FFFD.

    Args:
        text: Any string.
        longest: How many characters of it are shown.
    """
    shown = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text[:longest]
    )
    return shown if len(text) <= longest else f"{shown}…"


def error_text(error: BaseException) -> str:
    """Return an error's type and, where it can be had, its message; the error may be anybody's."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - the message of a foreign error is code of somebody else's
        return type(error).__name__
