"""The types that a setting can have: how its text is read from a variable, and what is accepted as a keyword.

The rules for text are OpenTelemetry's (specification, sdk-environment-variables): durations are integer milliseconds,
only ``true`` is true, enumerations ignore case. A ``ValueError`` says what is wrong, never the value: the caller knows
whether the value may be shown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address
from itertools import chain, pairwise
from types import UnionType
from typing import Generic, TypeVar
from urllib.parse import unquote, urlsplit

from ..redaction import is_pasted_secret
from ..secret import Secret, SecretMapping

T = TypeVar("T")

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNEXPANDED = re.compile(r"\$\([A-Za-z_][A-Za-z0-9_]*\)|\$\{[A-Za-z_][A-Za-z0-9_]*\}")


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


def _wrong(rule: str, value: object) -> TypeError:
    return TypeError(f"must {rule}, not {type(value).__name__}")


def _check_each(items: Iterable[object], kind: type | UnionType, called: str) -> None:
    for item in items:
        if not isinstance(item, kind):
            raise _wrong(f"hold {called} only", item)


def unexpanded(text: str) -> str:
    """Return what is wrong with a text that still holds ``$(NAME)`` or ``${NAME}``, as the end of a sentence."""
    if not (found := _UNEXPANDED.search(text)):
        return ""
    if found[0].startswith("$("):
        return f"still holds {found[0]}, which Kubernetes expands only for variables defined before it"
    return f"still holds {found[0]}, which only a shell expands; Kubernetes writes $({found[0][2:-1]})"


def _parse_text(text: str) -> str:
    if reason := unexpanded(text):
        raise ValueError(reason)
    return _parse_characters(text)


def _parse_characters(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("holds a control character or a line break")
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes of the environment that are not UTF-8 come as surrogates
        raise ValueError("is not valid UTF-8") from None
    return text


def _accept_text(value: object) -> str:
    if not isinstance(value, str):
        raise _wrong("be a string", value)
    return _parse_text(value) if value else ""


def _accept_string(value: object) -> str:
    if not isinstance(value, str):
        raise _wrong("be a string", value)
    return _parse_characters(value)


def _parse_username(text: str) -> str:
    if ":" in text:
        raise ValueError("holds a colon, which basic authentication cannot send: the password has a variable of its own")
    return _parse_characters(text)


def _parse_path(text: str) -> str:
    if is_pasted_secret(text):
        raise ValueError("looks like a secret, not like a path: put it into a file, and name the file here")
    return _parse_text(text)


def _accept_path(value: object) -> str:
    text = value if isinstance(value, str) else _accept_text(value)
    return _parse_path(text) if text else ""


def _parse_url(text: str) -> str:
    _parse_text(text)
    if any(character.isspace() for character in text):
        raise ValueError("must not hold white space")
    try:
        parts = urlsplit(text)
        _ = parts.port
        if "[" in parts.netloc:  # which Python 3.10 does not look into
            IPv6Address(parts.hostname or "")
    except ValueError:  # whose text quotes the URL, and with it a password
        raise ValueError("is not a URL: its host or its port cannot be read") from None
    if parts.scheme not in {"http", "https"}:
        raise ValueError("must begin with http:// or https://")
    if not parts.hostname:
        raise ValueError("must name a host")
    return text


def _accept_url(value: object) -> str:
    return _parse_url(_accept_text(value)) if value != "" else ""


def _parse_boolean(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError("must be true or false")
    return text.lower() == "true"


def _accept_boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong("be True or False", value)
    return value


def _parse_integer(text: str, unit: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise ValueError(f"must be a whole number of {unit}" if unit else "must be a whole number")
    return int(text)


def _accept_integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong("be a whole number", value)
    return value


def whole_number(name: str, minimum: int, maximum: int | None = None) -> SettingType[int]:
    """A whole number that is not below a minimum and, where there is one, not above a maximum."""
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
        raise _wrong("be a number of seconds", value)
    if not value >= 0:
        raise ValueError("must not be negative")
    return _float(value) or math.inf


def _float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        raise ValueError("must not be that large") from None


def enumeration(*choices: str) -> SettingType[str]:
    """One of some words, in any case."""
    by_lower_case = {choice.lower(): choice for choice in choices}

    def parse(text: str) -> str:
        if text.lower() not in by_lower_case:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return by_lower_case[text.lower()]

    return SettingType("word", parse, lambda value: parse(_accept_text(value)))


def _parse_pairs(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for item in filter(None, map(str.strip, text.split(","))):
        name, equals, value = item.partition("=")
        if not equals or not name.strip():
            raise ValueError("must be a comma list of name=value; a comma inside a value is written %2C")
        try:
            pairs[unquote(name.strip())] = unquote(value.strip(), errors="strict")
        except UnicodeDecodeError:
            raise ValueError("is not valid UTF-8 where it is percent-encoded") from None
    return pairs


def _checked_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            raise ValueError("holds a name that is not a header's")
        _parse_characters(value)
    return SecretMapping(headers)


def _checked_labels(labels: Mapping[str, str]) -> Mapping[str, str]:
    for name, value in labels.items():
        if not _LABEL_NAME.fullmatch(name) or name.startswith("__"):
            raise ValueError(
                f"holds {name[:40]!r}, which is not a label name (letters, digits and underscores, not two in front)"
            )
        _parse_text(value)
    return {name: value for name, value in labels.items() if value}


def _accept_pairs(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise _wrong("be a mapping of strings to strings", value)
    _check_each(chain.from_iterable(value.items()), str, "strings")
    return dict(value)


def _parse_proxies(text: str) -> Mapping[str, str]:
    url = _parse_url(text)
    return SecretMapping({"http": url, "https": url})


def _accept_proxies(value: object) -> Mapping[str, str]:
    proxies = _accept_pairs(value)
    if not proxies.keys() <= {"http", "https"}:
        raise ValueError("must have no other keys than http and https")
    return SecretMapping({scheme: _parse_url(url) for scheme, url in proxies.items() if url})


def _parse_names(text: str) -> tuple[str, ...]:
    return tuple(_parse_text(item) for item in map(str.strip, text.split(",")) if item)


def _accept_names(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return _parse_names(value)
    if not isinstance(value, Sequence):
        raise _wrong("be a list of strings", value)
    _check_each(value, str, "strings")
    return tuple(_parse_text(item) for item in value if item)


def _checked_boundaries(boundaries: Sequence[float]) -> tuple[float, ...]:
    if not all(map(math.isfinite, boundaries)):
        raise ValueError("must be finite numbers")
    if any(later <= earlier for earlier, later in pairwise(boundaries)):
        raise ValueError("must be numbers that increase")
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
        raise _wrong("be a list of numbers", value)
    _check_each(value, int | float, "numbers")
    return _checked_boundaries([_float(item) for item in value])


TEXT = SettingType("text", _parse_text, _accept_text)
SECRET = SettingType(
    "text", lambda text: Secret(_parse_characters(text)), lambda value: Secret(_accept_string(value)), keeps_blanks=True
)
"""What is sent as it is, whatever it looks like."""
USERNAME = SettingType(
    "text",
    lambda text: Secret(_parse_username(text)),
    lambda value: Secret(_parse_username(_accept_string(value))),
)
"""Hidden like a secret, because it may be one: ``https://TOKEN@host``."""
PATH = SettingType("path", _parse_path, _accept_path)
URL = SettingType("URL", _parse_url, _accept_url)
BOOLEAN = SettingType("true or false", _parse_boolean, _accept_boolean)
COUNT = whole_number("number", minimum=1)
MILLISECONDS = whole_number("milliseconds", minimum=1, maximum=2**31 - 1)
"""Up to some 25 days: more than anybody means, and less than a thread can wait on any system."""
TIMEOUT = SettingType("milliseconds", _parse_timeout, _accept_timeout)
"""Milliseconds in a variable, seconds as a keyword (as the predecessor had it) and as a value; 0 is no limit."""
HEADERS = SettingType(
    "k=v,k2=v2",
    lambda text: _checked_headers(_parse_pairs(text)),
    lambda value: _checked_headers(_parse_pairs(value) if isinstance(value, str) else _accept_pairs(value)),
)
LABELS = SettingType(
    "k=v,k2=v2",
    lambda text: _checked_labels(_parse_pairs(text)),
    lambda value: _checked_labels(_parse_pairs(value) if isinstance(value, str) else _accept_pairs(value)),
)
PROXIES = SettingType("URL", _parse_proxies, _accept_proxies)
NAMES = SettingType("comma list", _parse_names, _accept_names)
BOUNDARIES = SettingType("comma list", _parse_boundaries, _accept_boundaries)
