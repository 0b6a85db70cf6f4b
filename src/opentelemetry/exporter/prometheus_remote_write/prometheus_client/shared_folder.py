"""The folder in which the processes of one application keep their counts (PROMETHEUS_MULTIPROC_DIR).

Its content is pushed once, not by each process: by the one that holds the lock on the folder. The system releases the
lock when the process ends, and the next one to export takes over. Nothing is written into the folder.

Processes announce their end by locks on byte offsets of the folder, which many may hold: one says that the process
which pushes does so for the last time; another, at the offset of a process's id, says that it pushes no more.
"""

from __future__ import annotations

import os
import platform
import re
import struct
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from weakref import WeakSet

from ..system.bounded_call import bounded_call
from ..system.descriptor import Descriptor

try:
    import fcntl
except ImportError:  # Windows, where prometheus_client does not support such a folder, either
    fcntl = None  # type: ignore[assignment]  # not on this platform

_LOCK_TIMEOUT = 1.0  # seconds that a process's last export waits for the lock of another ending process
_STEP = 0.02
_SECONDS_TO_ANSWER = 1.0  # seconds for a folder that may be on another machine
_LOCK = "hhqqi4x"  # struct flock of 64-bit Linux: type, whence, start, length, process
_HAS_BYTES = sys.platform == "linux" and sys.maxsize > 2**32
_ENDING = 0  # the offset for "pushes for the last time"; that for "pushes no more" is the process's id
_OF_PROCESS = re.compile(r"_([0-9]+)\.db")
_NAMESPACE = uuid.UUID("5c5b1f6f-6f26-5f6e-9d2f-3c7d5a6f0d11")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SharedFolder:
    """The folder, and whether this process holds its lock.

    Args:
        path: The folder.
        sleep: Waits for some seconds.
    """

    def __init__(self, path: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._path = Path(path)
        self._sleep = sleep
        self._process = os.getpid()
        self._folder: Descriptor | None = None
        self._users: WeakSet[object] = WeakSet()

    def is_ours(self, user: object, *, last: bool) -> bool:
        """Return whether this process has to push the folder's content.

        Args:
            user: Who pushes it: one for each receiver. The lock is released when the last user releases it.
            last: Whether this process exports for the last time. Then it waits a moment for the lock if the process
                that holds it is also ending, and may not see the last counts of this one.

        Raises:
            OSError: The folder is gone, does not answer, or its file system has no locks.
        """
        self._users.add(user)
        timeout = _LOCK_TIMEOUT if last else 0.0
        return bounded_call((self, "lock"), lambda: self._take(timeout), timeout + _SECONDS_TO_ANSWER)

    def has_heirs(self) -> bool:
        """Return whether another process continues when this one ends; if unknown, assume so."""
        try:
            return bounded_call((self, "heirs"), self._sees_heirs, _SECONDS_TO_ANSWER)
        except (OSError, MemoryError, RuntimeError):
            return True

    def instance(self) -> str:
        """Return an instance id that is the same for all processes of this folder, and unique to it."""
        boot = ""
        with suppress(OSError):
            boot = _BOOT_ID.read_text("ascii").strip()
        identity = self._folder.identity if self._folder else ()
        return str(uuid.uuid5(_NAMESPACE, "/".join(map(str, (platform.node(), boot, *identity)))))

    def release(self, user: object) -> None:
        """Leave the folder to other processes. In a forked child this leaves the parent's locks alone."""
        self._users.discard(user)
        if self._process != os.getpid():
            self._close()
        elif not self._users:
            with suppress(OSError, MemoryError, RuntimeError):
                bounded_call((self, "lock"), self._leave, _SECONDS_TO_ANSWER)

    def _leave(self) -> None:
        folder = self._folder
        if folder and folder.is_ours() and _HAS_BYTES:
            self._lock_byte(fcntl.F_UNLCK, _ENDING)
            self._lock_byte(fcntl.F_RDLCK, self._process)  # until the process ends
            fcntl.flock(folder.number, fcntl.LOCK_UN)
        else:
            self._close()

    def _close(self) -> None:
        folder, self._folder = self._folder, None
        if folder:
            folder.close()

    def _take(self, timeout: float) -> bool:
        has_lock = self._has_lock()
        for _ in range(round(timeout / _STEP)):
            if has_lock or not self._is_locked(_ENDING):
                break
            self._sleep(_STEP)
            has_lock = self._has_lock()
        if timeout and has_lock:
            self._lock_byte(fcntl.F_RDLCK, _ENDING)
        return has_lock

    def _has_lock(self) -> bool:
        status = self._path.stat()
        if self._folder and not (
            self._process == os.getpid()
            and self._folder.is_ours()
            and self._folder.identity == (status.st_dev, status.st_ino)  # otherwise the folder was created again
        ):
            self._close()
        if self._folder is None:
            self._process = os.getpid()
            self._folder = Descriptor(os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        self._lock_byte(fcntl.F_UNLCK, self._process)
        try:
            # Each time: the application may have closed the descriptor, and opened the folder under the same number.
            fcntl.flock(self._folder.number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _lock_byte(self, kind: int, byte: int) -> None:
        if self._folder and _HAS_BYTES:
            with suppress(OSError):
                fcntl.fcntl(self._folder.number, fcntl.F_OFD_SETLK, struct.pack(_LOCK, kind, os.SEEK_SET, byte, 1, 0))

    def _is_locked(self, byte: int) -> bool:
        """Return whether another process has locked an offset; if unknown, assume so."""
        if not self._folder or not _HAS_BYTES:
            return True
        asked = struct.pack(_LOCK, fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)
        kind, *_ = struct.unpack(_LOCK, fcntl.fcntl(self._folder.number, fcntl.F_OFD_GETLK, asked))
        return bool(kind != fcntl.F_UNLCK)

    def _sees_heirs(self) -> bool:
        if not _HAS_BYTES:
            return True
        found = {_OF_PROCESS.search(path.name) for path in self._path.glob("*.db")}
        processes = {int(match[1]) if match else 0 for match in found} - {self._process}
        return any(
            # The application may number its processes in its own way.
            process == 0 or (_is_alive(process) and not self._is_locked(process))
            for process in processes
        )


def _is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return False
    return state[:1] != ["Z"]  # a zombie: its parent has not waited for it


_folders: dict[str, SharedFolder] = {}


def shared_folder(path: str) -> SharedFolder:
    """Return a folder shared by all exporters of the process: the holder of its lock pushes to all receivers."""
    return _folders.setdefault(path, SharedFolder(path))
