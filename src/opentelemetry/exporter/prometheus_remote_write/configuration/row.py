"""What the table of settings says of each of them."""

from __future__ import annotations

from dataclasses import field
from typing import Any, NamedTuple

from .setting_type import SettingType


class Row(NamedTuple):
    """What the table says of a setting beside its field's name and type.

    Args:
        type: How its variable's text and its keyword are read.
        doc: What it means, for the README.
        default: How the README writes the default.
        variable: The variable without its prefix.
        keyword: The keyword; with a dot where it is a key of a mapping, as in ``tls_config.ca_file``.
        secret: Whether its value is never shown; that of a path is not, because a key or a token may stand there.
        guards: Whether a wrong value stops all sending, because to send all the same would be unsafe; else the default
            takes its place.
    """

    type: SettingType[Any]
    doc: str
    default: str
    variable: str
    keyword: str
    secret: bool
    guards: bool


def setting(  # noqa: PLR0913 - a row of the table
    variable: str,
    kind: SettingType[Any],
    default: object,
    doc: str,
    *,
    shown: str = "-",
    keyword: str = "",
    secret: bool = False,
    guards: bool = False,
) -> Any:
    """Return a dataclass's field with its row; arguments as in :class:`Row`, ``shown`` being its ``default``."""
    row = Row(kind, doc, shown, variable, keyword or variable.lower(), secret, guards)
    return field(default_factory=lambda: default, metadata={"row": row, "default": default}, repr=not secret)
