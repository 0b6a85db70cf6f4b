"""A private folder for lock files that other users cannot tamper with.

Everything is done by descriptors of folders that were checked, never by a path a second time: another user may have
changed in between what the path refers to.
"""

from __future__ import annotations

import os
import random
import re
import stat
from contextlib import suppress
from pathlib import Path

from ..system.descriptor import Descriptor

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # not on this platform

FORGOTTEN = 86_400.0
"""Seconds after which an unlocked file may be removed."""

_LOOKED_AT = 100  # files at a time: the folder may hold those of thousands of processes
_OF_OURS = r"[0-9a-f]{24}-[0-9]{1,5}"
_TIME_DIGITS = 20


class Taken(Exception):
    """Another process holds it."""


def lock_folders() -> list[Path]:
    """Return where locks may be kept, in order: in a container the first is often read-only, the second never."""
    if not fcntl or not hasattr(os, "geteuid"):
        return []
    name = f"otel-prw-{os.geteuid()}"
    return [Path(parent) / name for parent in (os.environ.get("TMPDIR") or "/tmp", "/dev/shm")]  # noqa: S108 - see open_folder


def open_folder(path: Path) -> int:
    """Return a descriptor of a folder, which is created if missing.

    Raises:
        OSError: It cannot be opened, or other users may change it or its parents.
    """
    above = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        status = os.fstat(above)
        # Where anyone may create folders, only the sticky bit keeps others from moving ours away.
        guarded = not status.st_mode & 0o022 or status.st_mode & stat.S_ISVTX
        if status.st_uid not in {0, os.geteuid()} or not guarded:
            raise OSError(f"others may change {path.parent}")
        with suppress(FileExistsError):
            os.mkdir(path.name, 0o700, dir_fd=above)
        folder = os.open(path.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
    finally:
        os.close(above)
    status = os.fstat(folder)
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        os.close(folder)
        raise OSError("it is not a private folder of this user")
    return folder


def locked_file(folder: int, name: str) -> Descriptor:
    """Open and lock a file in a folder.

    Raises:
        Taken: Another process has locked it.
        OSError: It cannot be opened, or the file system has no locks.
    """
    while True:
        number = os.open(
            name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600, dir_fd=folder
        )
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            status = os.fstat(number)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(f"{name} is not a file")  # noqa: TRY301 - closed below as after any other error
            if status.st_nlink:
                return Descriptor(number)
        except BlockingIOError:
            os.close(number)
            raise Taken from None
        except BaseException:
            os.close(number)
            raise
        os.close(number)  # it was removed before it was locked


def remove_forgotten(folder: int, before: float) -> None:
    """Remove files of ours that no process has written to since a time, in seconds since the epoch.

    A random sample is checked each time: so every file is sooner or later, however many there are.
    """
    names = [name for name in os.listdir(folder) if re.fullmatch(_OF_OURS, name)]
    for name in random.sample(names, min(len(names), _LOOKED_AT)):
        with suppress(OSError, Taken):
            if os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime < before:
                file = locked_file(folder, name)
                try:
                    os.unlink(name, dir_fd=folder)
                finally:
                    file.close()


def read_time(file: Descriptor) -> int:
    """Return the time that :func:`write_time` wrote last, in nanoseconds since the epoch; 0 in a new file."""
    text = os.pread(file.number, _TIME_DIGITS, 0)
    return int(text) if text.isdigit() else 0


def write_time(file: Descriptor, nanoseconds: int) -> None:
    """Write a time into a file for the process that locks it next, unless the descriptor is another file's.

    Raises:
        OSError: It cannot be written.
    """
    if file.is_ours():
        os.pwrite(file.number, b"%0*d" % (_TIME_DIGITS, nanoseconds), 0)
