"""One buffer file: an SQLite database, and a lock on a file beside it.

It is opened for each use. SQLite trusts its descriptors, and an application may close them and reuse their numbers for
files of its own, as a daemon does: SQLite would write into those. Also, a forked child inherits no descriptor.
"""

from __future__ import annotations

import os
import stat
from binascii import crc32
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from ...model.request import PROTOCOL_1, PROTOCOL_2, Request
from ...system.descriptor import Descriptor
from .file_lock import file_identity, take_lock

if TYPE_CHECKING:
    import sqlite3  # imported where it is needed: some builds of Python lack it

_BUSY = 0.5  # seconds to wait for a file that is unexpectedly locked
_TABLE = """CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY, saved REAL, body BLOB, protocol TEXT,
    samples INTEGER, histograms INTEGER, exemplars INTEGER, points INTEGER, checksum INTEGER)"""
_COLUMNS = "saved, body, protocol, samples, histograms, exemplars, points, checksum"


class CorruptFileError(Exception):
    """A file holds something that this exporter did not write."""


class BufferFile:
    """A buffer file that belongs to this process: its own, or one that it has taken over.

    Args:
        path: The file.
        lock: On the file beside it.

    Attributes:
        rows: Row numbers by the identity of the request, which is kept alive so that its identity stays unique.
        batches: The batch numbers of the requests that were read from it.
        is_damaged: Whether part of it cannot be read.
        is_open: Whether it still belongs to this process.
    """

    def __init__(self, path: Path, lock: Descriptor) -> None:
        self.path = path
        self.lock = lock
        self.rows: dict[int, tuple[int, Request]] = {}
        self.batches: set[int] = set()
        self.is_damaged = False
        self.is_open = True
        self._identity = file_identity(path)

    def is_ours(self) -> bool:
        """Return whether it is still the file in the folder, and locked.

        If the application has closed the lock's descriptor, lock again, unless another process was quicker.

        Raises:
            OSError: It cannot be locked.
        """
        if self._identity is None or file_identity(self.path) != self._identity:
            return False
        if not self.lock.is_ours():
            self.lock = take_lock(self.path) or self.lock
        return self.lock.is_ours()

    def read(self, numbers: Iterator[int]) -> list[tuple[float, Request]]:
        """Return its requests, as far as they can be read, each with when it was made in seconds since the epoch.

        Args:
            numbers: Yields batch numbers.

        Raises:
            CorruptFileError: Nothing in it is intact.
            sqlite3.Error: It cannot be read.
        """
        self.rows = {}
        saved: list[tuple[float, Request]] = []
        try:
            with self._opened() as connection:
                rows = connection.execute(f"SELECT id, {_COLUMNS} FROM requests ORDER BY id")  # noqa: S608 - a constant
                for row, at, *content in rows:
                    if isinstance(at, float) and (request := _request(content, next(numbers))):
                        self.rows[id(request)] = (row, request)
                        saved.append((at, request))
                    else:
                        self.is_damaged = True
        except Exception as error:
            self.is_damaged = True
            if not is_corrupt(error):
                raise
        if self.is_damaged and not saved:
            raise CorruptFileError("nothing in it is intact")
        self.batches = {request.batch for _, request in saved}
        return sorted(saved, key=itemgetter(0))

    def add(self, new: Sequence[tuple[float, Request]]) -> None:
        """Add all requests, or none of them.

        Args:
            new: Each with when it was made, in seconds since the epoch.
        """
        if not new:
            return
        rows: dict[int, tuple[int, Request]] = {}
        with self._opened() as connection, connection:
            for at, request in new:
                body, protocol, samples, histograms, exemplars, _, points = request
                cursor = connection.execute(
                    f"INSERT INTO requests ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant
                    (at, body, protocol, samples, histograms, exemplars, points, crc32(body)),
                )
                rows[id(request)] = (cursor.lastrowid or 0, request)
        self.rows |= rows  # only now: a transaction that fails adds none of them

    def delete(self, is_gone: Callable[[int], bool]) -> None:
        """Delete the rows of some requests, by their identities.

        Raises:
            CorruptFileError: They are not where they should be, and the next process might find them.
            sqlite3.Error: The file cannot be written to.
        """
        if not (gone := [key for key in self.rows if is_gone(key)]):
            return
        with self._opened() as connection, connection:
            ids = [(self.rows[key][0],) for key in gone]
            if connection.executemany("DELETE FROM requests WHERE id = ?", ids).rowcount != len(ids):
                raise CorruptFileError("it lacks what was written into it")
        for key in gone:
            del self.rows[key]

    def discard(self) -> None:
        """Remove the file, which is empty; keep a damaged one for whoever investigates."""
        if self.is_damaged:
            self.set_aside()
            return
        for path in _all_of(self.path):
            with suppress(OSError):
                path.unlink()
        self.release()

    def set_aside(self) -> None:
        """Rename the file, so that no process looks for it."""
        for path in (self.path, self.path.with_name(f"{self.path.name}-wal")):
            with suppress(OSError):
                path.rename(path.with_name(path.name.replace(".db", ".corrupt")))
        for path in _all_of(self.path):
            with suppress(OSError):
                path.unlink()
        self.release()

    def release(self) -> None:
        """Release the file to other processes."""
        self.lock.close()
        self.rows = {}
        self.is_open = False

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """SQLite's connection, with the table there.

        Raises:
            sqlite3.Error: It is no such file, or cannot be used.
        """
        import sqlite3  # noqa: PLC0415 - late: there are Pythons without it, and most processes do not need it

        existing = f"{self.path.as_uri()}?mode=rw"
        with closing(sqlite3.connect(existing, timeout=_BUSY, uri=True)) as connection:
            connection.text_factory = _text
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")  # without a third file: a full disk has no room for it
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(_TABLE)
            yield connection


def _request(content: Sequence[object], number: int) -> Request | None:
    """Return the request in a row; None if it is not one of ours, or has changed on disk."""
    body, protocol, *counts, checksum = content
    if not isinstance(body, bytes) or protocol not in {PROTOCOL_1, PROTOCOL_2} or crc32(body) != checksum:
        return None
    samples, histograms, exemplars, points = (count if isinstance(count, int) else -1 for count in counts)
    if min(samples, histograms, exemplars, points) < 0:
        return None
    return Request(body, str(protocol), samples, histograms, exemplars, number, points)


def is_of_the_disk(error: Exception) -> bool:
    """Return whether an error is temporary and the disk's: it is full, for instance."""
    try:
        import sqlite3  # noqa: PLC0415 - late: there are Pythons without it, and most processes do not need it
    except ImportError:
        return False
    return isinstance(error, sqlite3.OperationalError)


def is_corrupt(error: Exception) -> bool:
    """Return whether an error says that the file is not a database of ours, not that it is temporarily unusable."""
    try:
        import sqlite3  # noqa: PLC0415 - late: there are Pythons without it, and most processes do not need it
    except ImportError:
        return False
    if isinstance(error, sqlite3.DatabaseError):
        return type(error) is sqlite3.DatabaseError
    return isinstance(error, CorruptFileError)


def create(path: Path) -> BufferFile:
    """Create a file that is not there yet.

    Raises:
        OSError: It cannot be created.
    """
    lock = take_lock(path)
    if lock is None:
        raise OSError("a new file is locked")
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        return BufferFile(path, lock)
    except BaseException:
        with suppress(OSError):
            path.with_suffix(".lock").unlink()
        lock.close()
        raise


def take_over(path: Path) -> BufferFile | None:
    """Take over a file whose process is gone; None if that is alive, or another process was quicker.

    Raises:
        OSError: It cannot be opened, or does not belong to this user.
    """
    if (lock := take_lock(path)) is None:
        return None
    try:
        _check(path)
        return BufferFile(path, lock)
    except FileNotFoundError:  # its owner has delivered and removed it
        with suppress(OSError):
            path.with_suffix(".lock").unlink()
        lock.close()
        return None
    except BaseException:
        lock.close()
        raise


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "replace")  # what is spoilt is no reason not to read the next row


def _check(path: Path) -> None:
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is not a file")
    if hasattr(os, "geteuid") and found.st_uid != os.geteuid():
        raise OSError("it belongs to another user")


def _all_of(path: Path) -> list[Path]:
    return [path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm"), path.with_suffix(".lock")]
