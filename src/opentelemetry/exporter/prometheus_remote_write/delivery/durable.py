"""What waits, kept on disk: so that it survives the end of the process, however that comes.

A process has one SQLite file in the folder, and a lock on a file beside it. The system drops the lock with the process;
then another process with the same folder and receiver takes the file over and delivers what is in it. The disk is
touched when something waits, and when the first export looks for what others have left.

The endpoint is in the file's name as a hash, so that what waits for one receiver is never sent to another. Bodies of
requests are all that is stored: no header, and so no secret.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ..messages.own_logger import OwnLogger
from ..model.request import Request
from .buffer_file import BufferFile, connected, locked

_logger = OwnLogger(__name__)

_FOLDER_BOUND = 4  # times what one process may keep
_HASH_LENGTH = 16


class Left(NamedTuple):
    """A request that another process has left.

    Args:
        age: For how long it waits, in seconds.
        request: The request.
    """

    age: float
    request: Request


class DurableBacklog:
    """Mirrors what waits in a folder. Whatever fails there costs a warning, and memory alone holds what waits then.

    Args:
        folder: The folder; it is made where it is missing.
        endpoint: Where what waits is to be sent.
        max_bytes: What a process may keep; the folder holds four times that.
        wall_clock: Seconds since the epoch.
    """

    def __init__(
        self,
        folder: str,
        endpoint: str,
        max_bytes: int,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.folder = Path(folder)
        self._prefix = f"prw-{hashlib.sha256(endpoint.encode()).hexdigest()[:_HASH_LENGTH]}-"
        self._max_bytes = max_bytes
        self._wall_clock = wall_clock
        self._own: BufferFile | None = None
        self._taken: list[BufferFile] = []
        self._numbers = iter(range(-2, -(2**31), -1))  # of batches: no other has a negative one
        self._is_usable = True

    @property
    def is_usable(self) -> bool:
        """Whether what waits is on disk."""
        return self._is_usable

    def take_over(self) -> list[Left]:
        """Return what processes that are gone have left, oldest first; nothing is raised."""
        left: list[Left] = []
        if self._is_usable and self.folder.exists():
            with self._guarded():
                self._check_folder()
                for path in sorted(self.folder.glob(f"{self._prefix}*.db")):
                    left += self._taken_over(path)
        return sorted(left, key=lambda each: -each.age)

    def mirror(self, waiting: Sequence[tuple[float, Request]]) -> None:
        """Have the disk hold what waits and nothing else; nothing is raised.

        Args:
            waiting: Each request, and for how many seconds it waits.
        """
        if not self._is_usable or not (waiting or self._own or self._taken):
            return
        with self._guarded():
            present = [id(request) for _, request in waiting]
            for file in [*self._taken, *([self._own] if self._own else [])]:
                file.delete(present)
            stored = {key for file in (*self._taken, self._own) if file for key in file.rows}
            self._store([(age, request) for age, request in waiting if id(request) not in stored])
            for file in [each for each in self._taken if not each.rows]:
                self._taken.remove(file)
                file.discard()
            if self._own and not self._own.rows:
                self._own.discard()
                self._own = None

    def close(self) -> None:
        """Leave what is stored to the next process."""
        for file in (*self._taken, self._own):
            if file:
                with suppress(Exception):
                    file.connection.close()
                file.lock.close()
        self._taken, self._own = [], None

    def abandon(self) -> None:
        """Leave everything to the parent, in a forked child."""
        for file in (*self._taken, self._own):
            if file:
                file.lock.close()  # which leaves the parent's lock alone
                _of_parents.append(file)
        self._taken, self._own = [], None

    def _guarded(self) -> _Guard:
        return _Guard(self)

    def fail(self, error: BaseException) -> None:
        """Keep what waits in memory from now on, and say so."""
        self._is_usable = False
        _logger.warning(
            "Metrics that wait are kept in memory alone, and are lost at the exit: the buffer directory %s cannot be "
            "used (%s)",
            self.folder,
            getattr(error, "strerror", None) or error,
        )

    def _store(self, new: Sequence[tuple[float, Request]]) -> None:
        if not new:
            return
        if self._own is None:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._check_folder()
            self._own = self._made()
        used = sum(path.stat().st_size for path in self.folder.glob("prw-*.db*"))
        if used > _FOLDER_BOUND * self._max_bytes:
            raise OSError(f"its files have {used} bytes already")
        now = self._wall_clock()
        with self._own.connection as connection:
            for age, request in new:
                cursor = connection.execute(
                    "INSERT INTO requests (saved, body, protocol, samples, histograms, exemplars, points)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        now - age,
                        request.body,
                        request.protocol,
                        request.samples,
                        request.histograms,
                        request.exemplars,
                        request.points,
                    ),
                )
                self._own.rows[id(request)] = (cursor.lastrowid or 0, request)

    def _made(self) -> BufferFile:
        path = self.folder / f"{self._prefix}{uuid.uuid4().hex}.db"
        lock = locked(path)
        if lock is None:
            raise OSError("a new file is locked")
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        return BufferFile(path, lock, connected(path))

    def _taken_over(self, path: Path) -> list[Left]:
        """Take over one file, if its process is gone."""
        if self._own and path == self._own.path:
            return []
        lock = locked(path)
        if lock is None:
            return []
        import sqlite3  # noqa: PLC0415 - late: there are Pythons without it, and most processes do not need it

        if not stat.S_ISREG(path.lstat().st_mode):
            lock.close()
            return []
        try:
            connection = connected(path)
            rows = connection.execute("SELECT * FROM requests ORDER BY saved, id").fetchall()
        except sqlite3.DatabaseError as error:
            _logger.warning("%s cannot be read (%s): it is set aside, and not sent", path, error)
            path.rename(path.with_suffix(".corrupt"))
            lock.close()
            return []
        except OSError:
            lock.close()
            return []
        file = BufferFile(path, lock, connection)
        now = self._wall_clock()
        left = []
        for row, saved, body, protocol, samples, histograms, exemplars, points in rows:
            request = Request(body, protocol, samples, histograms, exemplars, next(self._numbers), points)
            file.rows[id(request)] = (row, request)
            left.append(Left(now - saved, request))
        if left:
            self._taken.append(file)
        else:
            file.discard()
        return left

    def _check_folder(self) -> None:
        """See that nobody else can put files into the folder, or replace it.

        Raises:
            OSError: Somebody can.
        """
        found = self.folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise OSError("it is no folder")
        if hasattr(os, "geteuid") and found.st_uid != os.geteuid():
            raise OSError("it belongs to another user")
        if found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
            raise OSError("everybody may change it")


class _Guard:
    """Has what fails on disk cost the disk alone."""

    def __init__(self, backlog: DurableBacklog) -> None:
        self._backlog = backlog

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> bool:
        if isinstance(error, Exception):
            self._backlog.fail(error)
            return True
        return False


_of_parents: list[BufferFile] = []
"""What forked children hold of their parents: SQLite must neither use nor close it here."""
