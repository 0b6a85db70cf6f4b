"""The type of a setting: how a variable's text is parsed, and which keyword values are accepted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import UnionType
from typing import Generic, TypeVar

T = TypeVar("T")


class SettingType(Generic[T]):
    """A type of setting; nothing changes it.

    Args:
        name: Its name in the documentation.
        parse: Parses a variable's text, which is neither empty nor surrounded by white space.
        accept: Checks and converts a keyword's value; raises ``TypeError`` or ``ValueError`` if it is wrong.
        keeps_blanks: Whether white space around a variable's text is part of the value, as in a password.
    """

    __slots__ = ("accept", "keeps_blanks", "name", "parse")

    def __init__(
        self, name: str, parse: Callable[[str], T], accept: Callable[[object], T], *, keeps_blanks: bool = False
    ) -> None:
        self.name = name
        self.parse = parse
        self.accept = accept
        self.keeps_blanks = keeps_blanks


def wrong_type(rule: str, value: object) -> TypeError:
    """Return the error for a keyword whose type breaks a rule."""
    return TypeError(f"must {rule}, not {type(value).__name__}")


def check_each(items: Iterable[object], kind: type | UnionType, called: str) -> None:
    """Raise a ``TypeError`` unless all items are of a type."""
    for item in items:
        if not isinstance(item, kind):
            raise wrong_type(f"hold {called} only", item)
