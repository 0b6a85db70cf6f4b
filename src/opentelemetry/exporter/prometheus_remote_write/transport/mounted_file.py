"""A file with a secret or a certificate, as Kubernetes mounts it into a container."""

from __future__ import annotations

import os
import stat

from ..errors import Unsendable
from ..redaction import shown_path

_MAX_BYTES = 1 << 20  # what a Secret or a ConfigMap of Kubernetes can hold, and more than any secret needs


def content(setting: str, path: str) -> bytes:
    """Reads a file.

    Args:
        setting: What the user calls it, for messages.
        path: The file; links are followed.

    Raises:
        Unsendable: There is no such file, it is a directory or something else that is no file, it cannot be read, it is
            empty, or larger than 1 MiB. The message holds nothing of its content.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - a path is a string here
        if not stat.S_ISREG(status.st_mode):  # not opened: a pipe would hold us up
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
    """The error for a file that is not what it should be.

    Args:
        setting: What the user calls it.
        path: The file.
        reason: What is wrong with it, as the end of a sentence.
    """
    return Unsendable(f"{setting}: {shown_path(path)} {reason}")
