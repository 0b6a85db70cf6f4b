"""A secret that stands in a file, as Kubernetes mounts it: read when it is needed, and again when it has changed."""

from __future__ import annotations

import os
import re
import stat

from opentelemetry.exporter.prometheus_remote_write.errors import Unsendable

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MAX_BYTES = 1 << 20


class SecretFile:
    """A file whose text, without the line break at its end, is a secret.

    Args:
        setting: What the user calls it, for messages.
        path: The file.
    """

    def __init__(self, setting: str, path: str) -> None:
        self._setting = setting
        self._path = path
        self._seen: tuple[tuple[int, ...], str] | None = None

    def read(self) -> str:
        """The secret; the file is opened only when its time, size or identity has changed.

        Raises:
            Unsendable: The file cannot be used. The message holds nothing of its content.
        """
        version = self._version()
        if self._seen is None or self._seen[0] != version:
            self._seen = version, self._text()
        return self._seen[1]

    def forget(self) -> None:
        """Has the next :meth:`read` open the file, whatever it looks like."""
        self._seen = None

    def _version(self) -> tuple[int, ...]:
        status = regular_file(self._setting, self._path)
        return status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev

    def _text(self) -> str:
        try:
            with open(self._path, "rb") as file:  # noqa: PTH123 - a path is a string here
                content = file.read(_MAX_BYTES + 1)
        except OSError as error:
            raise Unsendable(f"{self._setting}: {self._path!r} cannot be read: {error.strerror}") from None
        if len(content) > _MAX_BYTES:
            raise self._unusable("is larger than 1 MiB")
        try:
            text = content.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise self._unusable("is not UTF-8 text") from None
        if not text:
            raise self._unusable("is empty")
        if _CONTROL.search(text):
            raise self._unusable("holds a line break or a control character inside the secret")
        return text

    def _unusable(self, reason: str) -> Unsendable:
        return Unsendable(f"{self._setting}: {self._path!r} {reason}")


def regular_file(setting: str, path: str) -> os.stat_result:
    """Looks at a file without opening it, so that a pipe cannot hold us up.

    Args:
        setting: What the user calls it, for messages.
        path: The file; links are followed.

    Raises:
        Unsendable: There is no such file, or it is a directory or something else that is no file.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - a path is a string here
    except (OSError, ValueError) as error:  # ValueError: a NUL or a surrogate in the path
        reason = error.strerror if isinstance(error, OSError) else "it is not a path"
        raise Unsendable(f"{setting}: {path!r} cannot be read: {reason}") from None
    if not stat.S_ISREG(status.st_mode):
        kind = "a directory" if stat.S_ISDIR(status.st_mode) else "not a file"
        raise Unsendable(f"{setting}: {path!r} is {kind}")
    return status
