"""A file with a secret or a certificate, as Kubernetes mounts it into a container.

A secret is read when needed, and again when its file has changed.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable

from ..errors import Unsendable
from ..messages.shown import shown_path
from .rotation import Rotating

_MAX_BYTES = 1 << 20  # the limit of a Kubernetes Secret or ConfigMap, and more than any secret needs
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def secret_file(
    setting: str,
    path: str,
    on_failure: Callable[[], object] = lambda: None,
    *,
    cleaned: Callable[[str], str] = str,
) -> Rotating[str]:
    """Return the secret in a file: its text without the final line break.

    Args:
        setting: The setting's name for messages, which never quote the secret.
        path: The file.
        on_failure: Called each time that the file cannot be used.
        cleaned: Returns what of the text is the secret; raises ``Unsendable`` where there is none.
    """
    return Rotating([path], lambda: cleaned(_secret(setting, path)), on_failure=on_failure)


def _secret(setting: str, path: str) -> str:
    try:
        text = content(setting, path).decode("utf-8-sig").rstrip("\r\n")  # Windows editors write a byte order mark
    except UnicodeDecodeError:
        raise unusable(setting, path, "is not UTF-8 text") from None
    if not text.strip():
        raise unusable(setting, path, "is empty")
    if _CONTROL.search(text):
        raise unusable(setting, path, "holds a line break or a control character inside the secret")
    return text


def content(setting: str, path: str) -> bytes:
    """Read a file.

    Args:
        setting: The setting's name for messages.
        path: The file; links are followed.

    Raises:
        Unsendable: There is no such file, it is not a regular file, it cannot be read, it is empty, or it is larger
            than 1 MiB. The message does not quote its content.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - a path is a string here
        if not stat.S_ISREG(status.st_mode):  # not opened: a pipe would block
            raise unusable(setting, path, "is a directory" if stat.S_ISDIR(status.st_mode) else "is not a file")
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            data = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL or a surrogate in the path
        reason = error.strerror if isinstance(error, OSError) else "it is not a path"
        raise unusable(setting, path, f"cannot be read: {reason}") from None
    if not data:
        raise unusable(setting, path, "is empty")
    if len(data) > _MAX_BYTES:
        raise unusable(setting, path, "is larger than 1 MiB")
    return data


def unusable(setting: str, path: str, reason: str) -> Unsendable:
    """Return the error for a file that is not what it should be.

    Args:
        setting: The setting's name.
        path: The file.
        reason: What is wrong with it, as the end of a sentence.
    """
    return Unsendable(f"{setting}: {shown_path(path)} {reason}")
