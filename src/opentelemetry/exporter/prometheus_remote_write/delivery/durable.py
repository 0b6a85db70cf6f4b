"""What waits, kept on disk: so that it survives the end of the process, however that comes.

A process has one SQLite file in the folder, and a lock on a file beside it. The system drops the lock with the process;
then another process with the same folder and receiver takes the file over and delivers what is in it. The disk is
touched when something waits, and when the first export looks for what others have left.

The endpoint is in the file's name as a hash, so that what waits for one receiver is never sent to another. Bodies of
requests are all that is stored: no header, and so no secret.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
import uuid
from collections.abc import Callable, Container, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ..messages.own_logger import OwnLogger
from ..model.request import Request
from .buffer_file import BufferFile, is_corrupt, made, taken
from .disk_turn import disk_turn

_logger = OwnLogger(__name__)

_FOLDER_BOUND = 4  # times what one process may keep
_HASH_LENGTH = 16
_ROOT = 0
_OF_THE_FOLDER = {errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE}
"""What is no fault of one file."""


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
        with suppress(OSError):  # there is no working folder
            self.folder = self.folder.absolute()  # for the application may change it
        self._prefix = f"prw-{hashlib.sha256(endpoint.encode()).hexdigest()[:_HASH_LENGTH]}-"
        self._max_bytes = max_bytes
        self._wall_clock = wall_clock
        self._own: BufferFile | None = None
        self._taken: list[BufferFile] = []
        self._numbers = iter(range(-2, -(2**31), -1))  # of batches: no other has a negative one
        self._is_usable = True
        self._unread: set[Path] = set()

    @property
    def is_usable(self) -> bool:
        """Whether the disk did what was asked of it last."""
        return self._is_usable

    def holds(self, request: Request) -> bool:
        """Return whether a request is on disk."""
        return any(id(request) in file.rows for file in self._files())

    def take_over(self) -> list[Left]:
        """Return what processes that are gone have left, oldest first; nothing is raised.

        Files beyond what this process may keep stay where they are: for its next look, or for another process.
        """
        left: list[Left] = []

        def look() -> None:
            if self.folder.exists():
                self._check_folder()
                for path in sorted(self.folder.glob(f"{self._prefix}*.db"), key=_modified):
                    used = sum(len(each.request.body) for each in left)
                    if left and used + _size_of(path) > self._max_bytes:
                        break
                    left.extend(self._taken_over(path))

        self._attempt(look)
        return sorted(left, key=lambda each: -each.age)

    def mirror(self, waiting: Sequence[tuple[float, Request]]) -> None:
        """Have the disk hold what waits and nothing else; nothing is raised.

        What failed is tried again the next time: a disk that is full may not stay so.

        Args:
            waiting: Each request, and for how many seconds it waits.
        """
        if not (waiting or self._own or self._taken):
            return
        # In this order: who is killed in between has stored one request twice rather than not at all.
        is_stored = self._attempt(lambda: self._store(waiting))
        is_deleted = self._attempt(lambda: self._delete({id(request) for _, request in waiting}))
        self._is_usable = is_stored and is_deleted

    def close(self) -> None:
        """Leave what is stored to the next process."""
        for file in self._files():
            with suppress(Exception), disk_turn():
                file.connection.close()
            file.lock.close()
        self._taken, self._own = [], None

    def abandon(self) -> None:
        """Leave everything to the parent, in a forked child."""
        for file in self._files():
            file.lock.close()  # which leaves the parent's lock alone
            _of_parents.append(file)
        self._taken, self._own = [], None

    def _files(self) -> list[BufferFile]:
        return [*self._taken, *([self._own] if self._own else [])]

    def _attempt(self, step: Callable[[], None]) -> bool:
        """Have what fails on disk cost the disk alone; return whether it did not."""
        try:
            with disk_turn():
                step()
        except Exception as error:  # noqa: BLE001 - of SQLite, of the system, of whatever stands in the folder
            self._fail(error)
            return False
        return True

    def _fail(self, error: Exception) -> None:
        """Say once that what waits is in memory alone."""
        was_usable, self._is_usable = self._is_usable, False
        if was_usable:
            _logger.warning(
                "Metrics that wait are kept in memory alone, and are lost at the exit: the buffer directory %s cannot "
                "be used (%s)",
                self.folder,
                getattr(error, "strerror", None) or error,
            )

    def _store(self, waiting: Sequence[tuple[float, Request]]) -> None:
        if self._own and not self._own.is_there():
            self._own.let_go()
            self._own = None
        new = [(age, request) for age, request in waiting if not self.holds(request)]
        if not new:
            return
        if self._own is None:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._check_folder()
        used = sum(map(_size_of, self.folder.glob("prw-*.db*")))
        if used > _FOLDER_BOUND * self._max_bytes:
            raise OSError(f"its files have {used} bytes already")
        if self._own is None:
            self._own = made(self.folder / f"{self._prefix}{uuid.uuid4().hex}.db")
        now = self._wall_clock()
        try:
            self._own.add([(now - age, request) for age, request in new])
        except Exception as error:
            if is_corrupt(error):
                self._own.set_aside()
                self._own = None
            raise

    def _delete(self, present: Container[int]) -> None:
        """Delete what does not wait any more, and the files that hold nothing."""
        failure: Exception | None = None
        for file in self._files():
            try:
                file.delete(present)
                if not file.rows:
                    file.discard()
            except Exception as error:  # noqa: BLE001 - one file must not keep what is delivered in the others
                failure = error
                if is_corrupt(error):
                    file.set_aside()
        self._taken = [file for file in self._taken if file.is_open]
        self._own = self._own if self._own and self._own.is_open else None
        if failure:
            raise failure

    def _taken_over(self, path: Path) -> list[Left]:
        """Take over one file, if its process is gone. What is wrong with it costs this file alone."""
        if path in {file.path for file in self._files()}:
            return []
        try:
            file = taken(path)
        except Exception as error:
            if not isinstance(error, OSError) or error.errno not in _OF_THE_FOLDER:
                self._say_unread(path, error)
                return []
            raise
        if file is None:
            return []
        try:
            saved = file.read(self._numbers)
        except Exception as error:  # noqa: BLE001 - the same
            self._say_unread(path, error)
            if is_corrupt(error):
                file.set_aside()
            else:
                file.let_go()
            return []
        if not saved:
            file.discard()
            return []
        self._taken.append(file)
        now = self._wall_clock()
        return [Left(now - at, request) for at, request in saved]

    def _say_unread(self, path: Path, error: Exception) -> None:
        if path not in self._unread:
            self._unread.add(path)
            what = "set aside" if is_corrupt(error) else "left where it is"
            _logger.warning("%s cannot be read (%s): it is %s, and not sent", path, error, what)

    def _check_folder(self) -> None:
        """See that nobody else can put files into the folder, or replace it.

        Raises:
            OSError: Somebody can.
        """
        found = self.folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise OSError("it is no folder")
        if hasattr(os, "geteuid") and found.st_uid not in {os.geteuid(), _ROOT}:  # such as /tmp
            raise OSError("it belongs to another user")
        if found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
            raise OSError("everybody may change it")


def _modified(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:  # another process has removed it meanwhile
        return 0.0


def _size_of(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:  # another process has removed it meanwhile
        return 0


_of_parents: list[BufferFile] = []
"""What forked children hold of their parents: SQLite must neither use nor close it here."""
