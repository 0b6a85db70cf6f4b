"""The backlog on disk, so that it survives the end of the process, however that comes.

A process has one SQLite file in the folder, and a lock on a file beside it. The system releases the lock when the
process ends; then another process with the same folder and receiver takes the file over and delivers its requests. The
disk is touched only when something waits, and when the first export looks for what other processes have left.

Receivers want the samples of a series in order. So a process that continues the series of one that is gone, because it
has the same instance, holds its own samples back until those are delivered, whoever does it; and no process takes some
of a writer's files while another process has the others.

Only request bodies are stored: no headers, and so no secrets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from ...messages.own_logger import OwnLogger
from ...model.request import Request
from .buffer_file import BufferFile, create, is_corrupt
from .buffer_folder import BufferFolder, name_of
from .disk_turn import disk_turn
from .left_files import LeftFiles

_logger = OwnLogger(__name__)


class Left(NamedTuple):
    """A request that another process has left.

    Args:
        age: How long it has been waiting, in seconds.
        request: The request.
    """

    age: float
    request: Request


class DurableBacklog:
    """Mirrors the backlog in a folder. If anything there fails, a warning is logged and only memory holds the backlog.

    Args:
        folder: The folder; it is created if missing.
        addressee: Who the requests are for.
        max_bytes: How much a process may keep; the folder holds up to four times that.
        wall_clock: Seconds since the epoch.

    Attributes:
        folder: The folder.
        writer: Who writes the series of this process, as its successors would say; empty if it has none.
        is_behind: Whether an earlier process left samples of the same series that are still to be sent.
        has_more: Whether the last look found files that were not taken over.
        is_usable: Whether the last operation on the disk succeeded.
    """

    def __init__(
        self,
        folder: str,
        addressee: str,
        max_bytes: int,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = BufferFolder(folder, addressee, max_bytes)
        self.folder = self._folder.path
        self.writer = ""
        self.is_behind = self.has_more = False
        self._wall_clock = wall_clock
        self._own: BufferFile | None = None
        self._left = LeftFiles(max_bytes)
        self.is_usable = True

    def holds(self, request: Request) -> bool:
        """Return whether a request is on disk."""
        return any(id(request) in file.rows for file in self._files())

    def take_over(self) -> list[Left]:
        """Return the requests of processes that are gone, oldest first; raise nothing.

        Files beyond what this process may keep stay where they are, for its next look or for another process.
        """
        left: list[tuple[float, Request]] = []
        self.is_behind = self.has_more = False

        def look() -> None:
            if not self.folder.exists():
                return
            self._folder.check()
            held = {file.path for file in self._files()}
            names = [name for name in self._folder.names() if name.path not in held]
            writer = self._folder.hash_of(self.writer)
            own = [name for name in names if writer and name.writer == writer]
            if not self._left.take(own, left):
                self.is_behind = self.has_more = True
                return
            others = sorted((name for name in names if name not in own), key=lambda name: name.writer)
            for whose, group in groupby(others, key=lambda name: name.writer):
                files = [*group]
                # Files without a writer are independent of each other.
                for each in [files] if whose else [[file] for file in files]:
                    self.has_more |= not self._left.take(each, left, together=True)

        self._attempt(look)
        # By one reading of the clock: on a busy machine reading two files takes longer than was between their writing.
        now = self._wall_clock()
        return [Left(now - at, request) for at, request in sorted(left, key=lambda each: each[0])]

    def mirror(self, waiting: Sequence[tuple[float, Request]]) -> None:
        """Make the disk hold exactly the backlog; raise nothing.

        What fails is tried again the next time: a full disk may not stay full.

        Args:
            waiting: Each request, and for how many seconds it has been waiting.
        """
        if not (waiting or self._files()):
            return
        # In this order: a process killed in between has stored a request twice rather than not at all.
        is_stored = self._attempt(lambda: self._store(waiting))
        present = {id(request) for _, request in waiting}
        batches = {request.batch for _, request in waiting}
        is_deleted = self._attempt(lambda: self._delete(lambda key: key not in present, batches))
        if not is_deleted:  # set aside a file that proved to be corrupt, with what it holds
            is_stored = self._attempt(lambda: self._store(waiting))
        self.is_usable = is_stored and is_deleted

    def forget(self, delivered: Iterable[Request]) -> None:
        """Delete requests that have an outcome, so that they are not sent again if this process is killed."""
        gone = {id(request) for request in delivered}
        if any(not gone.isdisjoint(file.rows) for file in self._files()):
            self._attempt(lambda: self._delete(gone.__contains__))

    def close(self) -> None:
        """Leave what is stored to the next process, or to the parent in a forked child."""
        for file in self._files():
            file.lock.close()  # in a forked child this leaves the parent's lock alone
        self._left.taken, self._own = [], None

    def _files(self) -> list[BufferFile]:
        return [*self._left.taken, *([self._own] if self._own else [])]

    def _attempt(self, step: Callable[[], None]) -> bool:
        """Do some work on disk, contain its failure, and return whether it succeeded."""
        try:
            with disk_turn():
                step()
        except Exception as error:  # noqa: BLE001 - from SQLite, the system, or whatever is in the folder
            self._fail(error)
            return False
        return True

    def _fail(self, error: Exception) -> None:
        """Log once that the backlog is only in memory."""
        was_usable, self.is_usable = self.is_usable, False
        if was_usable:
            _logger.warning(
                "Waiting metrics are kept only in memory and are lost at exit: the buffer directory %s cannot "
                "be used (%s)",
                self.folder,
                getattr(error, "strerror", None) or error,
            )

    def _store(self, waiting: Sequence[tuple[float, Request]]) -> None:
        self._release_lost_files()
        now = self._wall_clock()
        new = [(now - age, request) for age, request in waiting if not self.holds(request)]
        if not new:
            return
        if self._own is None:
            self._folder.make()
        else:
            self._folder.check()
        self._folder.check_room(sum(len(request.body) for _, request in new))
        for file in self._left.taken:  # the rest of one of its requests stays with others of the same series
            self._add(file, [each for each in new if each[1].batch in file.batches])
        of_taken = {batch for file in self._left.taken for batch in file.batches}
        if not (own := [each for each in new if each[1].batch not in of_taken]):
            return
        if self._own is None:
            self._own = create(self._folder.new(self._folder.hash_of(self.writer), now))
        self._add(self._own, own)

    def _add(self, file: BufferFile, new: Sequence[tuple[float, Request]]) -> None:
        try:
            file.add(new)
        except Exception as error:
            if is_corrupt(error):
                self._set_aside(file)
            elif file is self._own and not file.rows:
                file.discard()
            self._keep_open_files()
            raise

    def _delete(self, is_gone: Callable[[int], bool], waiting: Collection[int] | None = None) -> None:
        """Delete the requests that no longer wait and, given the batches that do, the files of which nothing does."""
        self._release_lost_files()
        failure: Exception | None = None
        for file in self._files():
            try:
                file.delete(is_gone)
                # An empty file stays while what belongs into it finds no room: others see by it that they have to wait.
                if waiting is not None and not file.rows and file.batches.isdisjoint(waiting):
                    file.discard()
            except Exception as error:  # noqa: BLE001 - one bad file must not keep delivered requests in the others
                if is_corrupt(error):
                    failure = error
                    self._set_aside(file)
                elif all(map(is_gone, file.rows)):
                    file.discard()  # on a full disk there may be no room to delete rows, and none is left to be kept
                else:
                    failure = error
        self._keep_open_files()
        if failure:
            raise failure

    def _set_aside(self, file: BufferFile) -> None:
        """Set a corrupt file aside, and store again what still waits.

        A process that continues the series of another writer sees by that writer's files that it has to wait, so there
        has to be one.
        """
        if file is not self._own:
            try:
                replacement = create(self._folder.new(name_of(file.path).writer, self._wall_clock()))
            except OSError:
                return  # it is as good a sign as any, until there is room for another
            replacement.batches = file.batches
            self._left.taken.append(replacement)
        file.set_aside()

    def _release_lost_files(self) -> None:
        """Release a file that another process may have: one that was removed, or whose lock was closed."""
        for file in self._files():
            if not file.is_ours():
                file.release()
        self._keep_open_files()

    def _keep_open_files(self) -> None:
        self._left.taken = [file for file in self._left.taken if file.is_open]
        self._own = self._own if self._own and self._own.is_open else None
