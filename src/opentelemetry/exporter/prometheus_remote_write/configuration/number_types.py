"""Types of settings that are numbers, switches or enumerations.

The rules are OpenTelemetry's (specification, sdk-environment-variables): durations are integer milliseconds, only
``true`` is true, enumerations ignore case. A ``ValueError`` says what is wrong without quoting the value: only the
caller knows whether the value may be shown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise

from .setting_type import SettingType, check_each, wrong_type


def _parse_boolean(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError("must be true or false")
    return text.lower() == "true"


def _accept_boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise wrong_type("be True or False", value)
    return value


def _parse_integer(text: str, unit: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise ValueError(f"must be a whole number of {unit}" if unit else "must be a whole number")
    return int(text)


def _accept_integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type("be a whole number", value)
    return value


def whole_number(name: str, minimum: int, maximum: int | None = None) -> SettingType[int]:
    """Return the type of a whole number that is not below a minimum and not above a maximum, if there is one."""
    unit = "" if name == "number" else name

    def checked(number: int) -> int:
        if number < minimum:
            raise ValueError(f"must not be below {minimum}")
        if maximum is not None and number > maximum:
            raise ValueError(f"must not be above {maximum}")
        return number

    return SettingType(
        name, lambda text: checked(_parse_integer(text, unit)), lambda value: checked(_accept_integer(value))
    )


def _parse_timeout(text: str) -> float:
    milliseconds = _parse_integer(text, "milliseconds")
    if milliseconds < 0:
        raise ValueError("must not be negative")
    return milliseconds / 1000 or math.inf


def _accept_timeout(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type("be a number of seconds", value)
    if not value >= 0:
        raise ValueError("must not be negative")
    return _float(value) or math.inf


def _float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        raise ValueError("is too large") from None


def enumeration(*choices: str) -> SettingType[str]:
    """Return the type of an enumeration that ignores case."""
    by_lower_case = {choice.lower(): choice for choice in choices}

    def parse(text: str) -> str:
        if text.lower() not in by_lower_case:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return by_lower_case[text.lower()]

    def accept(value: object) -> str:
        if not isinstance(value, str):
            raise wrong_type("be a string", value)
        return parse(value)

    return SettingType("word", parse, accept)


def _checked_boundaries(boundaries: Sequence[float]) -> tuple[float, ...]:
    if not all(map(math.isfinite, boundaries)):
        raise ValueError("must be finite numbers")
    if any(later <= earlier for earlier, later in pairwise(boundaries)):
        raise ValueError("must increase")
    return tuple(boundaries)


def _parse_boundaries(text: str) -> tuple[float, ...]:
    try:
        boundaries = [float(item) for item in text.split(",") if item.strip()]
    except ValueError:
        raise ValueError("must be a comma list of numbers") from None
    return _checked_boundaries(boundaries)


def _accept_boundaries(value: object) -> tuple[float, ...]:
    if isinstance(value, str):
        return _parse_boundaries(value)
    if not isinstance(value, Sequence):
        raise wrong_type("be a list of numbers", value)
    check_each(value, int | float, "numbers")
    return _checked_boundaries([_float(item) for item in value])


BOOLEAN = SettingType("true or false", _parse_boolean, _accept_boolean)
COUNT = whole_number("number", minimum=1)
INTERVAL = whole_number("milliseconds", minimum=0, maximum=2**31 - 1)
MILLISECONDS = whole_number("milliseconds", minimum=1, maximum=2**31 - 1)
"""Up to about 25 days: more than anyone needs, and less than the longest wait of a thread on any system."""
TIMEOUT = SettingType("milliseconds", _parse_timeout, _accept_timeout)
"""Milliseconds in a variable, seconds as a keyword (as in the predecessor) and as a value; 0 is no limit."""
BOUNDARIES = SettingType("comma list", _parse_boundaries, _accept_boundaries)
