"""What may be shown of a URL, a path or a setting's value, which may be, or hold, a secret in the wrong place."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

SHOWN_CHARACTERS = 256
"""The most characters of a receiver's answer that a message quotes."""

HIDDEN = "***"
"""What a message shows in place of a secret."""

# Patterns stay text until they are used: re remembers what it has compiled, and most processes have nothing to hide.
SUSPICIOUS = "key|token|secret|pass|pwd|auth|cred|cookie|session|sign"
"""Matches part of a name that sounds like a secret's, in any case."""

# A run that no word of a sentence contains: letters and digits mixed, or as long as only a key is.
OPAQUE = r"(?=[A-Za-z+=~]*[0-9])(?=[0-9+=~]*[A-Za-z])[A-Za-z0-9+=~]{16,}|[A-Za-z0-9+=~]{32,}"
"""Matches what looks like a key."""

# The same, where a word is no sentence's: a UUID, a cloud's secret key with slashes, a token with its kind in front.
_OPAQUE_VALUE = r"(?=[A-Za-z+/=_-]*[0-9])(?=[0-9+/=_-]*[A-Za-z])[A-Za-z0-9+/=_-]{20,}"
_OPAQUE_IN_A_URL = r"(?=\S*[0-9])(?=\S*[A-Z])(?=\S*[a-z])[A-Za-z0-9+/=_-]{24,}"
_SECRET_IN_A_VALUE = (
    r"-----BEGIN|\b(?i:basic|bearer)\s|[\x00-\x1f\x7f]|\bey[JK][\w-]{8,}|@|\?\S*="
    rf"|(?i:{SUSPICIOUS})[\w-]*[=:]|{OPAQUE}|{_OPAQUE_VALUE}"
)

# A single word may be a file in the working directory, but could just as well be a password.
_ABSOLUTE = r"(?:[A-Za-z]:)?[/\\]|\.{1,2}(?:[/\\]|$)|~[/\\]"
_NAMED_LIKE_A_FILE = r"(?a)[\w./\\-]{1,200}\.(?:pem|crt|cer|cert|key|txt|token|jwt|secret|password)"
_PASTED = r"-----BEGIN|(?i:basic|bearer)\s|[\x00-\x1f\x7f]|ey[JK][\w-]{8,}"
_OPAQUE_SEGMENT = r"(?=[^/\\]*[0-9])(?=[^/\\]*[A-Z])(?=[^/\\]*[a-z])[A-Za-z0-9+=]{16,}"


def shown_words(text: str) -> str:
    """Return the beginning of a text as one line: white space and invisible characters become single spaces."""
    text = "".join(character if character.isprintable() else " " for character in text[: 4 * SHOWN_CHARACTERS])
    return " ".join(text.split())[:SHOWN_CHARACTERS]


def shown_url(url: str) -> str:
    """Return a URL without its possible secrets: userinfo, query, fragment, and keys within the path."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a malformed URL"
    if has_late_at_sign(parts):
        return "a URL with an @ after its host"
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
    return shown_words(urlunsplit(bare))


def has_late_at_sign(parts: SplitResult) -> bool:
    """Return whether a URL has an @ after its host, which then is not the host but the user or a part of a password.

    That is what becomes of a password with a slash, a question mark or a hash that is not percent-encoded.
    """
    return "@" in parts.path + parts.fragment or (not parts.path and "@" in parts.query)


def shown_foreign(text: str) -> str:
    """Return another library's error message without what looks like a key."""
    return shown_words(re.sub(OPAQUE, HIDDEN, text[: 4 * SHOWN_CHARACTERS]))


def shown_malformed_url(text: str) -> str:
    """Return the part of a supposed URL that is certainly not secret; empty if in doubt."""
    public = re.split("[?#]", text)[0]
    shown = "" if "@" in text[len(public) :] else public.rpartition("@")[2]
    return "" if re.search(f"{OPAQUE}|{_OPAQUE_IN_A_URL}", shown) or re.match(_PASTED, shown) else shown


def shown_value(text: str) -> str:
    """Return a setting's wrong value; empty if it looks like a secret, or may hold one, in the wrong variable."""
    return "" if re.search(_SECRET_IN_A_VALUE, text) else text


def shown_path(path: str) -> str:
    """Return a path as a message may show it; if it looks like a pasted secret, say so instead."""
    return repr(path) if _looks_like_a_path(path) else "its value, which looks like a secret, not like a path,"


def is_pasted_secret(text: str) -> bool:
    """Return whether a supposed path is certainly not one: a key in PEM form, a token, a header's value."""
    return bool(re.match(_PASTED, text)) or "\n" in text


def _looks_like_a_path(text: str) -> bool:
    if re.search(_PASTED, text) or re.search(_OPAQUE_SEGMENT, text):
        return False
    return bool(re.match(_ABSOLUTE, text) or re.fullmatch(_NAMED_LIKE_A_FILE, text))
