"""What may be shown of a receiver's answer: none of the secrets that it was sent.

A receiver may echo what it was sent: whole, cut, split, in another case, escaped or encoded. So its words are shown
only if they certainly contain none of our secrets, and anything that does not look like words is never shown.
"""

from __future__ import annotations

import re
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from urllib.parse import parse_qsl, unquote

from .shown import HIDDEN, OPAQUE, SHOWN_CHARACTERS, SUSPICIOUS, shown_url, shown_words

_WINDOW = 5  # characters: a text must not share this many in a row with a secret
_SHORTEST = 3  # bytes: an encoded secret that is shorter may be part of any sentence
_LONG_ENOUGH = 8  # a shorter value of an unknown header is hardly a secret, but for example a tenant's number
_LONG_ENOUGH_FOR_A_KEY = 4
_ROUNDS = 4  # levels of escaping, one inside the other
_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie", "x-amz-security-token"})

# Patterns stay text until they are used: re remembers what it has compiled, and most processes have nothing to hide.
# Ten numbers or more: bytes in any base.
_NUMBERS = r"(?<![A-Za-z0-9])(?:(?:0x)?[0-9A-Fa-f]{1,8}[^A-Za-z0-9]{1,6}){10,}"
_KEY_AND_SIGNATURE = r"(?:Credential|Signature)=([^/,\s]+)"
_MARKUP = r"(?is)<(script|style)\b.*?</\1\s*>|<[^<>]*>"
_ESCAPE = (
    r"(?s)\\(?:u\{([0-9a-fA-F]{1,6})\}|U([0-9a-fA-F]{8})|[uU]([0-9a-fA-F]{4})|[xX]([0-9a-fA-F]{2})|([0-7]{3})|(.))"
)
# Characters as numbers: 0x70, U+0070, %u0070, \70 of CSS, and the bytes of Go, Java and Node, [112 97].
_NUMBER = r"(?i)(?:(?:0x|U\+|%u|\\)([0-9a-f]{2,6})|(?<![0-9a-z.])([0-9]{2,3})(?![0-9a-z.]))[,;\s]{0,2}"
_CONTROL_ESCAPES = "bfnrtv0"


def secrets_of_headers(headers: Mapping[str, str]) -> Iterator[str]:
    """Yield the parts of headers that must not be shown: credentials, and every longer value of an unknown header.

    Args:
        headers: Those that the user has set, or that hold credentials.
    """
    for name, value in headers.items():
        if name.lower() not in _CREDENTIALS:
            if _may_be_secret(name, value):
                yield value
            continue
        scheme, _, credentials = value.partition(" ")
        if scheme == "AWS4-HMAC-SHA256":  # its other parts are words that Amazon's messages use
            yield from re.findall(_KEY_AND_SIGNATURE, credentials)
            continue
        yield credentials or scheme
        if scheme.lower() == "basic":
            try:
                username, _, password = b64decode(credentials).decode("utf-8", "replace").partition(":")
            except ValueError:  # written by the user
                continue
            yield password or username  # http://TOKEN@host has no password


def secrets_of_query(query: str) -> Iterator[str]:
    """Yield the parts of a URL's query that must not be shown."""
    yield query
    yield from (value for name, value in parse_qsl(query) if _may_be_secret(name, value))


def _may_be_secret(name: str, value: str) -> bool:
    return len(value) >= (_LONG_ENOUGH_FOR_A_KEY if re.search(f"(?i){SUSPICIOUS}", name) else _LONG_ENOUGH)


class Redaction:
    """Makes a receiver's answer fit for a message.

    Args:
        secrets: What must not be shown; empty ones are ignored.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(sorted({secret for secret in secrets if secret}, key=lambda text: (-len(text), text)))
        self._windows, self._short = _windows(self._secrets)

    def __repr__(self) -> str:
        return f"Redaction(of {len(self._secrets)} secrets)"

    def words(self, said: bytes) -> str:
        """Return what looks like a sentence in an answer; if it may contain a secret, only its length.

        Args:
            said: The beginning of the answer's body.
        """
        text = self._without(said.decode("utf-8", "replace"))
        if self._is_doubtful(text):
            return f"({len(said)} bytes that may hold a secret, not shown)"
        words = _without_entities(re.sub(_MARKUP, " ", text))[: 4 * SHOWN_CHARACTERS]
        return shown_words(self._without_keys(words))

    def url(self, place: str) -> str:
        """Return a URL that the receiver named; if it may contain a secret, say only that."""
        shown = shown_url(place)
        if self._is_doubtful(shown):
            return "a URL that may hold a secret, not shown"
        scheme, separator, rest = shown.rpartition("://")
        host, slash, path = rest.partition("/")
        return f"{scheme}{separator}{host}{slash}{self._without_keys(path)}"

    def value(self, value: str) -> str:
        """Return a header's value; empty if it may contain a secret."""
        is_doubtful = self._is_doubtful(value) or (self._secrets and re.search(_NUMBERS, f"{value},"))
        return "" if is_doubtful else value

    def body(self, said: bytes) -> bytes:
        """Return an answer's body to search for known words; empty if it may contain a secret."""
        text = self._without(said.decode("utf-8", "replace"))
        return b"" if self._is_doubtful(text) else text.encode()

    def _without(self, text: str) -> str:
        """Replace each secret that occurs verbatim, so that the rest of the sentence stays."""
        for secret in self._secrets:
            for form in {secret, secret.encode("utf-8", "replace").decode("latin-1")}:
                text = text.replace(form, HIDDEN)
        return text

    def _without_keys(self, text: str) -> str:
        """Remove what looks like a key: it may be a secret in an unforeseen form."""
        return re.sub(OPAQUE, HIDDEN, re.sub(_NUMBERS, HIDDEN, text)) if self._secrets else text

    def _is_doubtful(self, text: str) -> bool:
        """Return whether a text shares a piece with a secret, however either was encoded."""
        normal_forms = {normal for form in _unescaped(text) for normal in _normal_forms(form)}
        return any(
            any(short in normal for short in self._short)
            or any(normal[start : start + _WINDOW] in self._windows for start in range(len(normal) - _WINDOW + 1))
            for normal in normal_forms
        )


@lru_cache(maxsize=4)  # a receiver that refuses one request usually refuses the next, too
def _windows(secrets: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """Return all pieces of secrets that a text must not contain, and the secrets shorter than a piece."""
    normal_forms = {
        normal for secret in secrets for form in _encoded(secret) for normal in _normal_forms(form) if normal
    }
    long = (form for form in normal_forms if len(form) >= _WINDOW)
    windows = frozenset(form[start : start + _WINDOW] for form in long for start in range(len(form) - _WINDOW + 1))
    return windows, frozenset(form for form in normal_forms if len(form) < _WINDOW)


def _encoded(secret: str) -> set[str]:
    """Return the forms of a secret: unescaped, in hexadecimal, in base64 anywhere in a longer text, backwards."""
    forms = _unescaped(secret)
    data = secret.encode("utf-8", "replace")
    if len(data) > _WINDOW:
        forms |= {data.hex(), *(b64encode(b" " * before + data).decode()[before + 1 : -4] for before in range(3))}
    elif len(data) >= _SHORTEST:
        forms |= {data.hex(), b64encode(data).decode().rstrip("=")}
    return forms | {form[::-1] for form in forms}


def _normal_forms(text: str) -> set[str]:
    """Return a text without case and without white space and anything else between its letters."""
    from unicodedata import normalize  # noqa: PLC0415 - late: an application may have a module of that name

    folded = normalize("NFKD", text).casefold()
    forms = {"".join(filter(_is_seen, folded)), re.sub(r"[\W_]", "", folded), re.sub(r"[^a-z0-9]", "", folded)}
    letters = re.sub(r"[\W\d_]", "", folded)  # pieces may be numbered
    return forms | {letters} if len(letters) >= _LONG_ENOUGH else forms


def _is_seen(character: str) -> bool:
    return character.isprintable() and not character.isspace()


def _unescaped(text: str) -> set[str]:
    """Return a text and what it may have been before it was escaped, in several ways and several times."""
    forms = newest = {text, "".join(filter(_is_seen, text))}
    for _ in range(_ROUNDS):
        newest = {step(form) for form in newest for step in (_without_escapes, _without_markup)} - forms
        forms = forms | newest
    return forms | {_joined(re.sub(_NUMBER, _numbered_character, form)) for form in forms}


def _without_markup(text: str) -> str:
    return re.sub(_MARKUP, "", text)


def _without_escapes(text: str) -> str:
    return _joined(re.sub(_ESCAPE, _escaped_character, _without_entities(unquote(text))))


def _joined(text: str) -> str:
    """Return the text with one character for what is escaped as two surrogates, or as the bytes of UTF-8."""
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    try:
        return text.encode("latin-1").decode("utf-8")  # the escaped bytes of a letter
    except UnicodeError:
        return text


def _without_entities(text: str) -> str:
    import html  # noqa: PLC0415 - late: it has a large table, and most processes see no failure

    return html.unescape(text)


def _escaped_character(match: re.Match[str]) -> str:
    *hexadecimal, octal, single = match.groups()
    if single is not None:
        return " " if single in _CONTROL_ESCAPES else str(single)
    return _character(int(octal, 8) if octal else int(next(filter(None, hexadecimal)), 16))


def _numbered_character(match: re.Match[str]) -> str:
    hexadecimal, decimal = match.groups()
    return _character(int(hexadecimal, 16) if hexadecimal else int(decimal))


def _character(number: int) -> str:
    return chr(number) if number <= sys.maxunicode else " "
