"""Text that can be sent: protobuf strings are UTF-8, Python's can hold surrogates, which UTF-8 cannot."""

from __future__ import annotations

import re

_SURROGATE = re.compile("[\ud800-\udfff]")


def valid_text(text: str) -> str:
    """Returns a plain string that can be written as UTF-8, each surrogate in it replaced by U+FFFD.

    Surrogates come from undecodable bytes in the environment or in file names (``surrogateescape``).

    Args:
        text: Any string. One of a subclass, such as a member of an ``Enum`` that is a ``str``, gives the characters
            that it holds.
    """
    plain = str.__str__(text)
    return plain if plain.isascii() else _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", plain)
