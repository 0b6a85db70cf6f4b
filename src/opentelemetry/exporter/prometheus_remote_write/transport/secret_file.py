"""A secret that stands in a file: read when it is needed, and again when the file has changed."""

from __future__ import annotations

import re

from .mounted_file import content, unusable
from .rotation import Rotating

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def secret_file(setting: str, path: str) -> Rotating[str]:
    """The secret in a file: its text without the line break at its end.

    Args:
        setting: What the user calls it, for messages, which hold nothing of the text.
        path: The file.
    """
    return Rotating([path], lambda: _secret(setting, path))


def _secret(setting: str, path: str) -> str:
    try:
        text = content(setting, path).decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise unusable(setting, path, "is not UTF-8 text") from None
    if not text.strip():
        raise unusable(setting, path, "is empty")
    if _CONTROL.search(text):
        raise unusable(setting, path, "holds a line break or a control character inside the secret")
    return text
