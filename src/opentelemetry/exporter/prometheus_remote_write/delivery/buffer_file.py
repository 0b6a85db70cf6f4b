"""One file of what waits: SQLite's, and a lock on a file beside it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..model.request import Request
from ..system.descriptor import Descriptor

if TYPE_CHECKING:
    import sqlite3  # at run time where it is needed: there are Pythons without it

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # a platform without it

_BUSY = 0.5  # seconds to wait for a file that is locked, though nobody else has it
_TABLE = """CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY, saved REAL, body BLOB, protocol TEXT,
    samples INTEGER, histograms INTEGER, exemplars INTEGER, points INTEGER)"""


class BufferFile:
    """One file, which is this process's: its own, or one that it has taken over."""

    def __init__(self, path: Path, lock: Descriptor, connection: sqlite3.Connection) -> None:
        self.path = path
        self.lock = lock
        self.connection = connection
        self.rows: dict[int, tuple[int, Request]] = {}
        """By the identity of the request, which is held so that no other can have it."""

    def delete(self, keep: Iterable[int]) -> None:
        """Delete the rows of the requests that do not wait any more."""
        kept = set(keep)
        gone = [key for key in self.rows if key not in kept]
        with self.connection:
            self.connection.executemany("DELETE FROM requests WHERE id = ?", [(self.rows[key][0],) for key in gone])
        for key in gone:
            del self.rows[key]

    def discard(self) -> None:
        """Remove it, for it is empty."""
        self.connection.close()
        for path in _all_of(self.path):
            with suppress(OSError):
                path.unlink()
        self.lock.close()


def connected(path: Path) -> sqlite3.Connection:
    """Open a file of what waits, making its table where that is missing.

    Raises:
        sqlite3.Error: It is no such file, or cannot be used.
    """
    import sqlite3  # noqa: PLC0415 - late: there are Pythons without it, and most processes do not need it

    connection = sqlite3.connect(path, timeout=_BUSY, check_same_thread=False)
    with closing(connection.cursor()) as cursor:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute(_TABLE)
    connection.commit()
    return connection


def locked(path: Path) -> Descriptor | None:
    """Lock a file beside a path; None if another process has it."""
    if fcntl is None:
        raise OSError("this system has no file locks")
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    lock = Descriptor(os.open(path.with_suffix(".lock"), flags, 0o600))
    try:
        fcntl.flock(lock.number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    except OSError:
        lock.close()
        raise
    return lock


def _all_of(path: Path) -> list[Path]:
    return [path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm"), path.with_suffix(".lock")]
