"""Text that can be sent and text that can be shown.

Protobuf strings are UTF-8; Python's can contain surrogates, which UTF-8 cannot.
"""

from __future__ import annotations

import re

_SURROGATE = "[\ud800-\udfff]"


def valid_text(text: str) -> str:
    """Return a plain string that can be written as UTF-8, each surrogate in it replaced by U+FFFD.

    Surrogates come from undecodable bytes in the environment or in file names (``surrogateescape``).

    Args:
        text: Any string. A subclass's, such as a member of an ``Enum`` that is a ``str``, yields its characters.
    """
    plain = str.__str__(text)
    return plain if plain.isascii() else re.sub(_SURROGATE, "\N{REPLACEMENT CHARACTER}", plain)


def one_line(text: str, longest: int) -> str:
    """Return the beginning of a text for a log: invisible characters are replaced by U+FFFD.

    Args:
        text: Any string.
        longest: How many characters of it are shown.
    """
    shown = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text[:longest]
    )
    return shown if len(text) <= longest else f"{shown}…"


def plural(number: int, one: str, more: str = "") -> str:
    """Return the form of a word that its number needs: 1 sample, 2 samples.

    Args:
        number: How many.
        one: The word for one.
        more: The word for none or several, unless it is that for one with an s.
    """
    return one if number == 1 else more or f"{one}s"


def error_text(error: BaseException) -> str:
    """Return an error's type and, if it can be read, its message; the error may be any code's."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - a foreign error's message is foreign code
        return type(error).__name__
