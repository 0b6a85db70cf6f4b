"""Numbers that distinguish processes with one instance id: each belongs to one process at a time, however that ends.

On Linux a number is the name of an abstract socket, which is unique in the whole container, for all users and whatever
their temporary folders. It is also a lock on a file in a folder of the user's, which other containers may share. The
system releases both with the process. The file holds the time until which series were written under its number, and
only a process that began to count after that takes it: so one process's samples in a series end before the next
process's begin.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ..system.bounded_call import bounded_call
from ..system.descriptor import Descriptor
from .lock_folder import FORGOTTEN, Taken, locked_file, open_folder, read_time, remove_forgotten, write_time

SOCKETS = "otel-prw-" if sys.platform == "linux" else None
"""The prefix of the sockets' names; None if the system has no abstract sockets."""

_LOCK_SECONDS = 2.0  # seconds for locking a file; without its time the number may have been used just now
_FILE_SECONDS = 1.0  # seconds for any other work on files


class _Left(NamedTuple):
    """A number that this process released: until when it was used, and whether the same exporter takes it again."""

    until: int
    returns: bool

    def may_overlap(self, began: int) -> bool:
        return not self.returns and self.until > began


_left: dict[tuple[int, tuple[int, int]], _Left] = {}
"""By process and file; valid if no other process has written to the file since."""


class InstanceNumber:
    """A number that this process holds.

    Args:
        number: From 0.
        reserved: The socket, if there is one.
        file: The file, if there is a folder for it.
        forgotten_for: Why there is no file, so that nobody knows later until when it was used.
    """

    def __init__(
        self, number: int, reserved: Descriptor | None, file: Descriptor | None, forgotten_for: str = ""
    ) -> None:
        self.number = number
        self.forgotten_for = forgotten_for
        self._process = os.getpid()
        self._reserved = reserved
        self._file = file
        self._written = 0
        self._file_seconds = _FILE_SECONDS

    def is_ours(self) -> bool:
        """Whether this process still holds it: it may have forked, or closed our descriptors."""
        return self._process == os.getpid() and all(held.is_ours() for held in (self._reserved, self._file) if held)

    def prolong(self, now: int) -> None:
        """Record until when series were written under it, in nanoseconds since the epoch; raise nothing."""
        file = self._file
        if file is None:
            return

        def write() -> None:
            write_time(file, now)
            self._written = now
            self._file_seconds = _FILE_SECONDS

        with suppress(OSError):  # on a full disk the next process learns nothing, and that is all
            try:
                bounded_call(self, write, self._file_seconds)
            except TimeoutError:
                self._file_seconds = 0.0  # nothing waits for the folder again until it answers

    def release(self, *, returns: bool = False) -> None:
        """Release it to whoever begins to count from now on, in this process or another.

        Args:
            returns: Whether the same exporter takes it again, which what it wrote itself does not keep it from.
        """
        if self._file:
            _left[self._process, self._file.identity] = _Left(self._written, returns)
        self.close()

    def close(self) -> None:
        """Close this process's descriptors of it; in a forked child that leaves it to the parent."""
        for held in (self._reserved, self._file):
            if held:
                held.close()


def take_number(  # noqa: PLR0913 - three of them say where it runs
    name: str,
    numbers: Iterable[int],
    began: int,
    *,
    folders: Sequence[Path],
    sockets: str | None,
    now: Callable[[], int],
) -> InstanceNumber:
    """Take the first free number.

    Args:
        name: A hash of the id, in hexadecimal.
        numbers: To try, in order.
        began: Since when this process has counted, in nanoseconds since the epoch.
        folders: Where files may be kept; the first that works is used.
        sockets: The prefix of the sockets' names; None for no sockets.
        now: Nanoseconds since the epoch.

    Raises:
        OSError: None is free, or none can be held.
    """
    files = _Files(folders, now() / 1e9 - FORGOTTEN)
    for number in numbers:
        lock = f"{name}-{number}"
        reserved: Descriptor | None = None
        try:
            reserved = None if sockets is None else _reserve(sockets + lock)
            file = files.lock(lock, began)
        except Taken:
            if reserved:
                reserved.close()
            continue
        except BaseException:  # also if memory is exhausted
            if reserved:
                reserved.close()
            raise
        if not reserved and not file:
            raise OSError(files.reason)
        files.tidy()
        return InstanceNumber(number, reserved, file, "" if file else files.reason)
    raise OSError("too many processes share an instance id")


def _reserve(name: str) -> Descriptor | None:
    """Bind an abstract socket; None if that is forbidden.

    Raises:
        Taken: Another process has bound it.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
            made.bind(f"\0{name}")  # not listening, so nothing can connect
            return Descriptor(made.detach())
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Taken from None
        return None


class _Files:
    """Locks on files, in the first folder that works.

    Args:
        folders: To try, in order.
        forgotten: Files that were not written to since this time are removed.

    Attributes:
        reason: Why there is no file.
    """

    def __init__(self, folders: Sequence[Path], forgotten: float) -> None:
        self.reason = "this system has no file locks"
        self._folders = list(folders)
        self._forgotten = forgotten

    def lock(self, name: str, began: int) -> Descriptor | None:
        """Lock a file; None if there is no folder for it.

        Raises:
            Taken: Another process has locked it, or has written to it after this process began.
            TimeoutError: The folder does not answer, so it is unknown until when the number was used.
        """
        if not self._folders:
            return None
        try:
            return bounded_call(self, lambda: self._lock(name, began), _LOCK_SECONDS)
        except TimeoutError:
            reason = f"{self._folders[0]} does not answer"
            self._folders = []
            raise TimeoutError(reason) from None

    def tidy(self) -> None:
        """Remove forgotten files; raise nothing."""
        if self._folders:
            with suppress(OSError, MemoryError, RuntimeError):
                bounded_call((self, "tidy"), lambda: self._tidy_in(self._folders[0]), _FILE_SECONDS)

    def _lock(self, name: str, began: int) -> Descriptor | None:
        while self._folders:
            try:
                file = self._lock_in(self._folders[0], name)
                written = read_time(file)
            except OSError as error:
                self.reason = f"{self._folders[0]}: {error.strerror or error}"
                self._folders = self._folders[1:]
                continue
            late = not self._folders  # the caller no longer waits
            left = _left.get((os.getpid(), file.identity))
            if late or (left.may_overlap(began) if left and left.until == written else written >= began):
                file.close()
                raise Taken
            return file
        return None

    def _lock_in(self, path: Path, name: str) -> Descriptor:
        folder = open_folder(path)
        try:
            return locked_file(folder, name)
        finally:
            os.close(folder)

    def _tidy_in(self, path: Path) -> None:
        folder = open_folder(path)
        try:
            remove_forgotten(folder, self._forgotten)
        finally:
            os.close(folder)
