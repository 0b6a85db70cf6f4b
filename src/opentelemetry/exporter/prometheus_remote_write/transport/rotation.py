"""Files that change under the running process, as when Kubernetes rotates a token or a certificate."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from ..errors import Unsendable

_logger = logging.getLogger(__name__)

T = TypeVar("T")

_TRIES = 3


class Rotating(Generic[T]):
    """What is made out of files, and made anew when one of them has changed.

    Where that fails, what was made before stays in use, and a warning says so once: a file may be half written, or
    one of a pair newer than the other. Making a ``Rotating`` does no I/O. It is not for several threads at once.

    Args:
        paths: The files; an empty path is none.
        make: Reads them; raises ``Unsendable`` where they cannot be used.
    """

    def __init__(self, paths: Iterable[str], make: Callable[[], T]) -> None:
        self._paths = tuple(filter(None, paths))
        self._make = make
        self._made: tuple[T] | None = None
        self._versions: list[object] | None = None
        self._is_failing = False

    def current(self) -> T:
        """What the files stand for now; they are opened only when the time, size or identity of one has changed.

        Raises:
            Unsendable: They cannot be used, and never could.
        """
        # Looked at before they are read: a change in the meantime is noticed next time.
        versions = self._seen()
        if self._made is None or versions != self._versions:
            try:
                made, versions = self._make_undisturbed(versions)
            except Unsendable as error:
                return self._kept(error)
            self._made, self._versions = (made,), versions
        self._is_failing = False
        return self._made[0]

    def renew(self) -> None:
        """Has the next :meth:`current` open the files, whatever they look like."""
        self._versions = None

    def _seen(self) -> list[object]:
        return [_version(path) for path in self._paths]

    def _make_undisturbed(self, versions: list[object]) -> tuple[T, list[object]]:
        """Make it, and again where that failed while files were exchanged: an old one may have met a new one."""
        for _ in range(_TRIES - 1):
            try:
                return self._make(), versions
            except Unsendable:
                before, versions = versions, self._seen()
                if versions == before:
                    raise
        return self._make(), versions

    def _kept(self, error: Unsendable) -> T:
        if self._made is None:
            raise error
        if not self._is_failing:
            _logger.warning("%s; what was read there before stays in use until that is mended", error)
        self._is_failing = True
        return self._made[0]


def _version(path: str) -> object:
    """What differs when a file is another one or was written again; None where there is no file."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a path is a string here
    except (OSError, ValueError):  # told when it is read
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev
