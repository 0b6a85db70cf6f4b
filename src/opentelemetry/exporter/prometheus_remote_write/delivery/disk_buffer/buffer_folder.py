"""The buffer directory: who may write to it, how much it holds, and which file is whose."""

from __future__ import annotations

import hashlib
import os
import stat
import uuid
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_FOLDER_BOUND = 4  # times the limit of one process
_HASH_LENGTH = 16
_ROOT = 0
_NOBODY = "0"


class BufferName(NamedTuple):
    """A buffer file, as its name describes it.

    Args:
        path: The file.
        writer: A hash of who writes the series in it; empty if unknown.
        made: When it was created, as text that sorts by time.
    """

    path: Path
    writer: str
    made: str


class BufferFolder:
    """A folder with a file for each process that has requests waiting for one receiver.

    A file's name contains hashes of the addressee and the writer: requests for one receiver are never sent to another,
    and the name reveals neither.

    Args:
        folder: The folder.
        addressee: Who the requests are for.
        max_bytes: How much a process may keep; the folder holds up to four times that.
    """

    def __init__(self, folder: str, addressee: str, max_bytes: int) -> None:
        self.path = Path(folder)
        with suppress(OSError):  # the working folder is gone
            self.path = self.path.absolute()  # because the application may change it
        self._prefix = f"prw-{_hash(addressee)}-"
        self._bound = _FOLDER_BOUND * max_bytes

    def names(self) -> list[BufferName]:
        """Return the files with requests for the receiver, in the order of their creation."""
        found = [name_of(path) for path in self.path.glob(f"{self._prefix}*.db")]
        return sorted(found, key=lambda name: (name.made, name.path))

    def new(self, writer: str, now: float) -> Path:
        """Return a path for a new file.

        Args:
            writer: The hash of who writes the series in it; empty if unknown.
            now: Seconds since the epoch.
        """
        made = f"{max(now, 0.0) * 1e6:016.0f}"
        return self.path / f"{self._prefix}{writer or _NOBODY}-{made}-{uuid.uuid4().hex[:8]}.db"

    @staticmethod
    def hash_of(writer: str) -> str:
        """Return the hash of a writer; empty for none."""
        return _hash(writer) if writer else ""

    def make(self) -> None:
        """Create the folder if it is missing, and check it.

        Raises:
            OSError: It cannot be created, or other users can change it.
        """
        made = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in made:
            _keep_through_power_cut(folder)
        self.check()

    def check(self) -> None:
        """Check that no other user can put files into the folder, or replace it.

        Raises:
            OSError: Another user can.
        """
        found = self.path.lstat()
        if stat.S_ISLNK(found.st_mode):
            raise OSError("it is a link")
        if not stat.S_ISDIR(found.st_mode):
            raise OSError("it is not a folder")
        if hasattr(os, "geteuid") and found.st_uid not in {os.geteuid(), _ROOT}:  # such as /tmp
            raise OSError("it belongs to another user")
        if found.st_mode & stat.S_ISVTX:  # of what others put into it nothing is used, and ours stays where it is
            return
        if found.st_mode & stat.S_IWOTH:
            raise OSError("other users may change it")
        if found.st_mode & stat.S_IWGRP and not _is_shared_on_purpose(found):
            raise OSError("its group may change it")

    def check_room(self, more: int) -> None:
        """Check that the folder has room for more.

        Args:
            more: In bytes.

        Raises:
            OSError: It is full.
        """
        used = sum(map(size_of, self.path.glob("prw-*")))  # includes files that were set aside
        if used + more > self._bound:
            raise OSError(f"its files have {used} bytes already")


def _keep_through_power_cut(folder: Path) -> None:
    """Have what says that a folder is there on the disk; SQLite does that for the files in it."""
    with suppress(OSError):  # who may not read the folder above, or has a file system without that, has no better
        above = os.open(folder.parent, os.O_RDONLY)
        try:
            os.fsync(above)
        finally:
            os.close(above)


def _is_shared_on_purpose(folder: os.stat_result) -> bool:
    """Whether a folder was given to a group of this process, set-group-ID, as volumes with Kubernetes' fsGroup are.

    Its members are the containers of one pod. A mode without that bit is mostly what a umask has left.
    """
    return bool(folder.st_mode & stat.S_ISGID) and folder.st_gid in {os.getegid(), *os.getgroups()}


def size_of(path: Path) -> int:
    """Return a file's size in bytes; 0 if another process has just removed it."""
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:_HASH_LENGTH]


def name_of(path: Path) -> BufferName:
    """Return what a file's name says."""
    words = path.stem.split("-")
    if len(words) != len(("prw", "endpoint", "writer", "made", "random")):
        return BufferName(path, "", "")
    return BufferName(path, "" if words[2] == _NOBODY else words[2], words[3])
