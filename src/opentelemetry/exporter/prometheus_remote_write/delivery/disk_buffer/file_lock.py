"""A lock on a file beside another, which the system releases when the process ends."""

from __future__ import annotations

import os
from pathlib import Path

from ...system.descriptor import Descriptor

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # not on this platform


def take_lock(path: Path) -> Descriptor | None:
    """Lock the file beside a path; None if another process has locked or just removed it.

    Raises:
        OSError: It cannot be locked.
    """
    if fcntl is None:
        raise OSError("this system has no file locks")
    beside = path.with_suffix(".lock")
    lock = Descriptor(os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    try:
        fcntl.flock(lock.number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    except OSError:
        lock.close()
        raise
    if file_identity(beside) != lock.identity:  # the file is gone from the folder, so no other process sees this lock
        lock.close()
        return None
    return lock


def file_identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode of the file at a path; None if there is none."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
