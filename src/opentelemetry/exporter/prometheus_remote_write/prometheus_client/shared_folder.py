"""The folder in which the processes of one application keep what they count (PROMETHEUS_MULTIPROC_DIR).

What is in it is pushed once, not by each process: by the one that holds the lock on the folder. The system drops the
lock with the process, and the next one to export takes over. Nothing is written into the folder.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress

from ..system.descriptor import Descriptor

try:
    import fcntl
except ImportError:  # Windows, where prometheus_client has no such folder either
    fcntl = None  # type: ignore[assignment]  # a platform without it

_PATIENCE = 1.0  # seconds for which the last export of a process waits for the lock of one that ends, too
_STEP = 0.02


class SharedFolder:
    """The folder, and whether its lock is this process's.

    Args:
        path: The folder.
        sleep: Wait for so many seconds.
    """

    def __init__(self, path: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._path = path
        self._sleep = sleep
        self._lock: Descriptor | None = None

    def is_ours(self, *, last: bool) -> bool:
        """Return whether this process has to push what is in the folder.

        Args:
            last: Whether it exports for the last time. Then it waits a moment for the lock: who has it may be at its
                end, too, and would not see what this process counted meanwhile.
        """
        for _ in range(round(_PATIENCE / _STEP) if last else 0):
            if self._has_lock():
                return True
            self._sleep(_STEP)
        return self._has_lock()

    def release(self) -> None:
        """Leave the folder to others. In a forked child this leaves the parent's lock alone."""
        lock, self._lock = self._lock, None
        if lock:
            lock.close()

    def _has_lock(self) -> bool:
        if self._lock and self._lock.is_ours():
            return True
        self._lock = None
        with suppress(OSError):
            lock = Descriptor(os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            try:
                fcntl.flock(lock.number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.close()
            else:
                self._lock = lock
        return self._lock is not None
