"""Types of settings that are text: plain, secret, paths, URLs, and lists and pairs of these.

A ``ValueError`` says what is wrong without quoting the value: only the caller knows whether the value may be shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv6Address
from itertools import chain
from urllib.parse import unquote, urlsplit

from ..messages.secret import Secret, SecretMapping
from ..messages.shown import has_late_at_sign, is_pasted_secret, shown_value
from .setting_type import SettingType, check_each, wrong_type

# Patterns stay text until they are used: most processes use none of them.
_HEADER_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110, section 5.6.2
_LABEL_NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"
_CONTROL = r"[\x00-\x1f\x7f]"
_UNEXPANDED = r"\$\([A-Za-z_][A-Za-z0-9_]*\)|\$\{[A-Za-z_][A-Za-z0-9_]*\}"


def unexpanded(text: str) -> str:
    """Return what is wrong with a text that still holds ``$(NAME)`` or ``${NAME}``, as the end of a sentence."""
    if "$" not in text or not (found := re.search(_UNEXPANDED, text)):
        return ""
    if found[0].startswith("$("):
        return f"still holds {found[0]}, which Kubernetes expands only for variables defined before it"
    return f"still holds {found[0]}, which only a shell expands; Kubernetes writes $({found[0][2:-1]})"


def _parse_text(text: str) -> str:
    if reason := unexpanded(text):
        raise ValueError(reason)
    return _parse_characters(text)


def _parse_characters(text: str) -> str:
    if not text.isprintable() and re.search(_CONTROL, text):
        raise ValueError("holds a control character or a line break")
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes of the environment that are not UTF-8 become surrogates
        raise ValueError("is not valid UTF-8") from None
    return text


def _accept_text(value: object) -> str:
    if not isinstance(value, str):
        raise wrong_type("be a string", value)
    return _parse_text(value) if value else ""


def _accept_string(value: object) -> str:
    if not isinstance(value, str):
        raise wrong_type("be a string", value)
    return _parse_characters(value)


def _parse_username(text: str) -> str:
    if ":" in text:
        raise ValueError("holds a colon, which basic authentication cannot send: set the password separately")
    return _parse_characters(text)


def _parse_token(text: str) -> str:
    if text.strip().lower() == "bearer":  # Bearer ${TOKEN} with an empty TOKEN
        raise ValueError("is the word Bearer without a token")
    return _parse_text(text)


def _accept_token(value: object) -> str:
    return _parse_token(_accept_text(value))


def _parse_path(text: str) -> str:
    if is_pasted_secret(text):
        raise ValueError("looks like a secret, not like a path: put it into a file and name the file here")
    return _parse_text(text)


def _accept_path(value: object) -> str:
    text = value if isinstance(value, str) else _accept_text(value)
    return _parse_path(text) if text else ""


def _parse_url(text: str) -> str:
    _parse_text(re.sub(r"(?<=//)[^/?#]*@", "", text, count=1) if "@" in text else text)
    _parse_characters(text)  # in the user name and the password, too, which may hold anything else
    if any(character.isspace() for character in text):
        raise ValueError("must not hold white space")
    try:
        parts = urlsplit(text)
        _ = parts.port
        if "[" in parts.netloc:  # Python 3.10 does not check it
            IPv6Address(parts.hostname or "")
    except ValueError:  # its text quotes the URL, including a password
        raise ValueError("is not a URL: its host or its port cannot be read") from None
    if parts.scheme not in {"http", "https"}:
        raise ValueError("must begin with http:// or https://")
    if not parts.hostname:
        raise ValueError("must name a host")
    if ":" in unquote(parts.username or ""):
        raise ValueError("holds a user name with a colon, which basic authentication cannot send")
    if has_late_at_sign(parts):
        raise ValueError("holds an @ after its host: in a password write / as %2F, ? as %3F, # as %23 and @ as %40")
    return text


def _accept_url(value: object) -> str:
    return _parse_url(_accept_string(value)) if value != "" else ""


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
        if not re.fullmatch(_HEADER_NAME, name):
            raise ValueError("holds an invalid header name")
        _parse_characters(value)
    return SecretMapping(headers)


def _checked_labels(labels: Mapping[str, str]) -> Mapping[str, str]:
    for name, value in labels.items():
        if not re.fullmatch(_LABEL_NAME, name) or name.startswith("__"):
            what = f"{name[:40]!r}, which" if shown_value(name) else "what"
            raise ValueError(f"holds {what} is not a label name (letters, digits and underscores, not two in front)")
        _parse_text(value)
    return {name: value for name, value in labels.items() if value}


def _checked_values(pairs: dict[str, str]) -> dict[str, str]:
    for name, value in pairs.items():
        _parse_characters(name + value)
    return pairs


def _accept_pairs(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise wrong_type("be a mapping of strings to strings", value)
    check_each(chain.from_iterable(value.items()), str, "strings")
    return dict(value)


def _parse_proxies(text: str) -> Mapping[str, str]:
    url = _parse_url(text)
    return SecretMapping({"http": url, "https": url})


def _accept_proxies(value: object) -> Mapping[str, str]:
    proxies = _accept_pairs(value)
    if not proxies.keys() <= {"http", "https"}:
        raise ValueError("must have only the keys http and https")
    return SecretMapping({scheme: _parse_url(url) for scheme, url in proxies.items() if url})


def _parse_names(text: str) -> tuple[str, ...]:
    return tuple(_parse_text(item) for item in map(str.strip, text.split(",")) if item)


def _accept_names(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return _parse_names(value)
    if not isinstance(value, Sequence):
        raise wrong_type("be a list of strings", value)
    check_each(value, str, "strings")
    return tuple(_parse_text(item) for item in value if item)


TEXT = SettingType("text", _parse_text, _accept_text)
SECRET = SettingType(
    "text", lambda text: Secret(_parse_characters(text)), lambda value: Secret(_accept_string(value)), keeps_blanks=True
)
"""A secret that is sent as it is, whatever it looks like."""
TOKEN = SettingType("text", lambda text: Secret(_parse_token(text)), lambda value: Secret(_accept_token(value)))
"""A secret that cannot contain the characters of a reference (RFC 6750, section 2.1)."""
USERNAME = SettingType(
    "text",
    lambda text: Secret(_parse_username(text)),
    lambda value: Secret(_parse_username(_accept_string(value))),
)
"""Hidden like a secret, because it may be one: ``https://TOKEN@host``."""
PATH = SettingType("path", _parse_path, _accept_path)
URL = SettingType("URL", _parse_url, _accept_url)
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
PARAMETERS = SettingType(
    "k=v,k2=v2",
    lambda text: SecretMapping(_checked_values(_parse_pairs(text))),
    lambda value: SecretMapping(_checked_values(_accept_pairs(value))),
)
SCOPES = SettingType(
    "comma list",
    lambda text: _parse_names(",".join(text.split())),
    lambda value: _accept_names(",".join(value.split()) if isinstance(value, str) else value),
)
"""Scopes are separated by commas or, as in the protocol, by blanks."""
PROXIES = SettingType("URL", _parse_proxies, _accept_proxies)
NAMES = SettingType("comma list", _parse_names, _accept_names)
