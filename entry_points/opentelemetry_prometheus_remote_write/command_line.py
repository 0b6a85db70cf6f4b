"""How the command parses its arguments and reports a usage error: one sentence, exit status 2."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser, ArgumentTypeError
from contextlib import suppress
from typing import Any, NoReturn

_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s|m|h|d)")
_ARGUMENT = re.compile(r"^argument (?:(--[^\s/:]+)(?:/\S+)?|\S+):?")  # argparse's own beginning of a message
_PHRASES = (
    (
        re.compile(r"invalid choice: (.+) \(choose from (.+)\)"),
        lambda said: f"must be one of {_bare(said[2])}, not {said[1]}",
    ),
    (re.compile(r"expected one argument"), lambda _said: "needs a value"),
    (re.compile(r"ignored explicit argument .*"), lambda _said: "takes no value"),
    (re.compile(r"not allowed with argument (--\S+)"), lambda said: f"cannot be combined with {said[1]}"),
)
"""What argparse says, and how we say it."""
_MILLISECONDS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_LEAST_BARE = 100
"""The smallest number of milliseconds accepted without a unit: ``--interval 5`` most likely means seconds."""


class Parser(ArgumentParser):
    """A parser that accepts no abbreviated flags and answers a mistake with one sentence."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **{**keywords, "allow_abbrev": False})

    @property
    def flags(self) -> list[str]:
        """Every flag that the parser accepts."""
        return [flag for action in self._actions for flag in action.option_strings]

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and exit with status 2."""
        sentence = _ARGUMENT.sub(lambda said: said[1] or "the argument", message)
        for said, ours in _PHRASES:
            sentence = said.sub(ours, sentence)
        with suppress(OSError):  # stderr may be full or closed
            sys.stderr.write(f"{self.prog}: {sentence}\n")
        sys.exit(2)


def _bare(choices: str) -> str:
    return choices.replace("'", "")


def parsed_milliseconds(text: str) -> int:
    """Return the milliseconds of a duration such as ``500ms``, ``5s`` or ``1.5m``.

    Args:
        text: A number with a unit, or without one a whole number of milliseconds, as in a variable.

    Raises:
        ArgumentTypeError: The text is not a duration.
    """
    if match := _DURATION.fullmatch(text):
        return round(float(match["number"]) * _MILLISECONDS[match["unit"]])
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text[:40]!r} is not a duration such as 500ms, 5s or 2m")
    if 0 < int(text) < _LEAST_BARE:
        raise ArgumentTypeError(f"{text} has no unit: write {text}s or {text}ms")
    return int(text)


def seconds(text: str) -> float:
    """Return the seconds of a duration, as :func:`parsed_milliseconds` reads it."""
    return parsed_milliseconds(text) / 1000
