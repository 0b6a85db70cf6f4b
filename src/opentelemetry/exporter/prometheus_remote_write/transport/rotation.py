"""Files that change under the running process, as when Kubernetes rotates a token or a certificate."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from ..errors import Cause, Retryable, Unsendable
from ..messages.own_logger import OwnLogger
from ..messages.shown import shown_path
from .deadline import remaining, within_deadline

_logger = OwnLogger(__name__)

T = TypeVar("T")

_TRIES = 3
_GIVE_UP_AFTER = 1.0  # seconds that files have to answer if there is valid content to keep using
_BETWEEN_WARNINGS = 60.0  # seconds: a file may appear and vanish all the time


class Rotating(Generic[T]):
    """An object made from files, and made again when one of them has changed; used by several threads at once.

    If that fails, the previous object stays in use, and a warning is logged: a file may be half written, or one of a
    pair newer than the other. Creating a ``Rotating`` does no I/O. Files are read in a thread of its own, one at a
    time, because a read may hang; no lock is held meanwhile.

    Args:
        paths: The files; an empty path is none.
        make: Reads them and makes the object; raises ``Unsendable`` if they cannot be used.
        discard: Called with an object that has been replaced, or is no longer needed.
        on_failure: Called each time that it could not be made.
        clock: Seconds since any moment.
    """

    def __init__(
        self,
        paths: Iterable[str],
        make: Callable[[], T],
        *,
        discard: Callable[[T], object] = lambda _: None,
        on_failure: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._paths = tuple(filter(None, paths))
        self._make = make
        self._discard = discard
        self._on_failure = on_failure
        self._clock = clock
        self._made: tuple[T] | None = None
        self._versions: list[object] | None = None
        self._is_failing = False
        self._hangs = False
        self._closed = False
        self._warned_at: float | None = None

    def current(self) -> T:
        """Return the current object; files are opened only if the time, size or identity of one has changed.

        Raises:
            Unsendable: They cannot be used, and never could.
            Retryable: They do not answer in time, and never did.
            TimeoutError: There was no time left before they were asked.
        """
        made = self._made
        if made and not self._paths:
            return made[0]
        remaining()
        give_up_after = None
        if made is not None:
            give_up_after = 0.0 if self._hangs else _GIVE_UP_AFTER
        try:
            return within_deadline(self, self._now, give_up_after=give_up_after)
        except TimeoutError:
            self._hangs = True
            self._on_failure()
            names = " or ".join(map(shown_path, self._paths))
            if made is None:
                raise Retryable(
                    f"{names or 'the system'} does not answer, so nothing can be sent",
                    cause=Cause.UNUSABLE_SETTING,
                ) from None
            return self._kept(made, f"{names} does not answer")

    def renew(self) -> None:
        """Make the next :meth:`current` open the files, changed or not."""
        self._versions = None

    def close(self) -> None:
        """Discard the object, and any that is being made."""
        self._closed = True
        made, self._made = self._made, None
        if made:
            self._discard(made[0])

    def _now(self) -> T:
        # Checked before they are read: a change in the meantime is noticed next time.
        versions = self._seen()
        before = self._made
        if before is None or versions != self._versions:
            try:
                made, versions = self._make_undisturbed(versions)
            except Unsendable as error:
                self._hangs = False
                self._on_failure()
                if before is None:
                    raise
                return self._kept(before, str(error))
            self._made, self._versions = (made,), versions
            if before:
                self._discard(before[0])
            if self._closed:
                self._discard(made)
        else:
            made = before[0]
        self._hangs = self._is_failing = False
        return made

    def _seen(self) -> list[object]:
        return [_version(path) for path in self._paths]

    def _make_undisturbed(self, versions: list[object]) -> tuple[T, list[object]]:
        """Make the object; try again if that failed while files changed: an old one may have met a new one."""
        for _ in range(_TRIES - 1):
            try:
                return self._make(), versions
            except Unsendable:
                before, versions = versions, self._seen()
                if versions == before:
                    raise
        return self._make(), versions

    def _kept(self, made: tuple[T], reason: str) -> T:
        now = self._clock()
        if not self._is_failing and (self._warned_at is None or now - self._warned_at >= _BETWEEN_WARNINGS):
            self._warned_at, self._is_failing = now, True  # what is not said yet is said later, if it lasts
            _logger.warning("%s; keeping the last valid content until the file is fixed", reason)
        return made[0]


def _version(path: str) -> object:
    """Return what changes when a file is replaced or written; None if there is no file."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a path is a string here
    except (OSError, ValueError):  # reported when it is read
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev
