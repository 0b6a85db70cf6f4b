"""A row of the table of settings."""

from __future__ import annotations

from typing import Any

from .setting_type import SettingType


class Row:
    """Everything about a setting except its field's name and type. Nothing changes it.

    It is a plain class, because generating a dataclass costs every process more than reading all settings does.

    Args:
        type: How its variable's text and its keyword are read.
        doc: What it means, for the documentation.
        default: The default, as the documentation writes it.
        variable: The variable without its prefix.
        keyword: The keyword; with a dot if it is a key of a mapping, as in ``tls_config.ca_file``.
        secret: Whether its value is never shown, not even a path's: a key or a token may have been pasted there.
        guards: Whether a wrong value stops all sending, because sending anyway would be unsafe; otherwise the default
            is used.
        value: The default itself.
    """

    __slots__ = ("default", "doc", "guards", "keyword", "secret", "type", "value", "variable")

    def __init__(  # noqa: PLR0913 - a row of the table
        self,
        type: SettingType[Any],  # noqa: A002 - as its attribute
        doc: str,
        default: str,
        variable: str,
        keyword: str,
        *,
        secret: bool,
        guards: bool,
        value: object,
    ) -> None:
        self.type = type
        self.doc = doc
        self.default = default
        self.variable = variable
        self.keyword = keyword
        self.secret = secret
        self.guards = guards
        self.value = value


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
    """Return the row of a field; the arguments are those of :class:`Row`, with ``shown`` as ``default``."""
    return Row(kind, doc, shown, variable, keyword or variable.lower(), secret=secret, guards=guards, value=default)
