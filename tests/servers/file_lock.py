"""A lock between processes, held by a file."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

with suppress(ImportError):  # Windows has none, and never comes so far as to need it
    import fcntl

POLL = 0.1


@contextmanager
def locked(path: Path, timeout: float = 600) -> Iterator[None]:
    """Waits until no other process holds the lock; the system frees it when its holder ends, however it ends."""
    with path.open("w") as file:
        deadline = time.monotonic() + timeout
        while not _acquired(file):
            if time.monotonic() > deadline:
                raise TimeoutError(f"another process still holds {path.name}")
            time.sleep(POLL)
        yield


def _acquired(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
