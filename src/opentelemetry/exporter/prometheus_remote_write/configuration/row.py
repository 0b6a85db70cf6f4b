"""A row of the table of settings."""

from __future__ import annotations

from dataclasses import field
from typing import Any, NamedTuple

from .setting_type import SettingType


class Row(NamedTuple):
    """Everything about a setting except its field's name and type.

    Args:
        type: How its variable's text and its keyword are read.
        doc: What it means, for the documentation.
        default: The default, as the documentation writes it.
        variable: The variable without its prefix.
        keyword: The keyword; with a dot if it is a key of a mapping, as in ``tls_config.ca_file``.
        secret: Whether its value is never shown, not even a path's: a key or a token may have been pasted there.
        guards: Whether a wrong value stops all sending, because sending anyway would be unsafe; otherwise the default
            is used.
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
    """Return a dataclass field with its row; the arguments are those of :class:`Row`, with ``shown`` as ``default``."""
    row = Row(kind, doc, shown, variable, keyword or variable.lower(), secret, guards)
    return field(default_factory=lambda: default, metadata={"row": row, "default": default}, repr=not secret)
