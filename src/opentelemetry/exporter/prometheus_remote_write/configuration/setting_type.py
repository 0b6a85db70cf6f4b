"""What a type of setting is: how its text is read from a variable, and what is accepted as a keyword."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import UnionType
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class SettingType(Generic[T]):
    """A type of setting.

    Args:
        name: How the README calls it.
        parse: From a variable's text, which is neither empty nor surrounded by white space.
        accept: From a keyword's value; ``TypeError`` or ``ValueError`` where it does not fit.
        keeps_blanks: Whether white space around a variable's text belongs to the value, as in a password.
    """

    name: str
    parse: Callable[[str], T]
    accept: Callable[[object], T]
    keeps_blanks: bool = False


def wrong_type(rule: str, value: object) -> TypeError:
    """Return the error for a keyword of another type than the rule says."""
    return TypeError(f"must {rule}, not {type(value).__name__}")


def check_each(items: Iterable[object], kind: type | UnionType, called: str) -> None:
    """Raise a ``TypeError`` unless all items are of a type."""
    for item in items:
        if not isinstance(item, kind):
            raise wrong_type(f"hold {called} only", item)
