"""Numbers that tell processes of one instance id apart: each is one process's at a time, however that process ends.

On Linux a number is the name of an abstract socket, of which there is one in the whole container, for all users and
whatever their temporary folder is. It is also a lock on a file in a folder of the user's, which other containers may
share. The system drops both with the process. The file holds the time until which series were written under its
number, and only a process that began to count after that takes it: so what a series holds of one process ends before
what it holds of the next begins.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from ..system.bounded_call import bounded_call
from ..system.descriptor import Descriptor
from .lock_folder import FORGOTTEN, Taken, locked_file, open_folder, read_time, remove_forgotten, write_time

SOCKETS = "otel-prw-" if sys.platform == "linux" else None
"""How the names of the sockets begin; None where there are none."""

_LOCK_SECONDS = 2.0  # for the lock on a file; without its time the number may be one that was used just now
_FILE_SECONDS = 1.0  # for anything else that is done with files

_left: dict[tuple[int, tuple[int, int]], int] = {}
"""By process and file, the time that it wrote last before it left it: where nobody else has written, it goes on."""


class InstanceNumber:
    """A number that this process holds.

    Args:
        number: From 0 on.
        reserved: The socket, if there are such.
        file: The file, if there is a folder for it.
    """

    def __init__(self, number: int, reserved: Descriptor | None, file: Descriptor | None) -> None:
        self.number = number
        self._process = os.getpid()
        self._reserved = reserved
        self._file = file
        self._written = 0
        self._file_seconds = _FILE_SECONDS

    def is_ours(self) -> bool:
        """Whether this process still holds it: it may have been forked, or have closed descriptors that are ours."""
        return self._process == os.getpid() and all(held.is_ours() for held in (self._reserved, self._file) if held)

    def prolong(self, now: int) -> None:
        """Write down until when series were written under it, in nanoseconds since the epoch; nothing is raised."""
        file = self._file
        if file is None:
            return

        def write() -> None:
            write_time(file, now)
            self._written = now
            self._file_seconds = _FILE_SECONDS

        with suppress(OSError):  # a full disk takes away what the next process would learn, and no more
            try:
                bounded_call(self, write, self._file_seconds)
            except TimeoutError:
                self._file_seconds = 0.0  # nothing waits for it any more until it has answered

    def release(self) -> None:
        """Leave it to others, this process included."""
        if self._file:
            _left[self._process, self._file.identity] = self._written
        self.close()

    def close(self) -> None:
        """Close what holds it in this process; in a forked child that leaves it to the parent."""
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
    """Take the first number that is free.

    Args:
        name: What stands for the id: hexadecimal.
        numbers: To try, in order.
        began: Since when this process has counted, in nanoseconds since the epoch.
        folders: Where files may be kept; the first that serves is used.
        sockets: How the names of sockets begin; None is without.
        now: Nanoseconds since the epoch.

    Raises:
        OSError: None is free, or there is no way to hold one.
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
        except BaseException:  # also where the memory has ended
            if reserved:
                reserved.close()
            raise
        if not reserved and not file:
            raise OSError(files.reason)
        files.tidy()
        return InstanceNumber(number, reserved, file)
    raise OSError("too many processes share an instance id")


def _reserve(name: str) -> Descriptor | None:
    """Bind an abstract socket; None where that is forbidden.

    Raises:
        Taken: Another process has bound it.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
            made.bind(f"\0{name}")  # nobody listens, so nobody can connect
            return Descriptor(made.detach())
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Taken from None
        return None


class _Files:
    """Locks on files, in the folders that serve.

    Args:
        folders: To try, in order.
        forgotten: Files that were not written to since then are removed.

    Attributes:
        reason: Why there is no file.
    """

    def __init__(self, folders: Sequence[Path], forgotten: float) -> None:
        self.reason = "this system has no file locks"
        self._folders = list(folders)
        self._forgotten = forgotten

    def lock(self, name: str, began: int) -> Descriptor | None:
        """Lock a file; None where there is no folder for it.

        Raises:
            Taken: Another process has it, or has written to it after the beginning of this one.
            TimeoutError: The folder does not answer, so nobody knows until when the number was used.
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
        """Remove what is forgotten in the folder that serves; nothing is raised."""
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
            late = not self._folders  # nobody waits for it any more
            if late or (written >= began and written != _left.get((os.getpid(), file.identity))):
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
