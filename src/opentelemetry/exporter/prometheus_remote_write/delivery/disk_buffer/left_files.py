"""Files that processes have left in the folder, and this one has taken over."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ...messages.own_logger import OwnLogger
from ...model.request import Request
from .buffer_file import BufferFile, is_corrupt, is_of_the_disk, take_over
from .buffer_folder import BufferName, size_of

_logger = OwnLogger(__name__)

_MOST_FILES = 16  # taken over at a time: each needs descriptors, and the application may need many of its own
_TRIES = 5  # attempts before a file counts as unreadable for good
_OF_THE_FOLDER = {errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE}
"""Errors that are not one file's fault."""


class LeftFiles:
    """Takes over files whose processes are gone.

    Args:
        max_bytes: How much a process may keep.

    Attributes:
        taken: The files that this process holds.
    """

    def __init__(self, max_bytes: int) -> None:
        self.taken: list[BufferFile] = []
        self._max_bytes = max_bytes
        self._numbers = iter(range(-2, -(2**31), -1))  # batch numbers: no other batch has a negative one
        self._failures: Counter[Path] = Counter()

    def take(self, names: Sequence[BufferName], left: list[tuple[float, Request]], *, together: bool = False) -> bool:
        """Take over the files of one writer whose processes are gone; return whether none is left.

        Args:
            names: The files, oldest first.
            left: Where what is in them is put, each with when it was made.
            together: Whether to leave all where one is another process's.
        """
        files: list[BufferFile] = []
        is_all, has_live_writer = True, False
        used = sum(len(request.body) for _, request in left)
        with _released_on_error(files):
            for name in names:
                size = size_of(name.path)
                if len(self.taken) + len(files) >= _MOST_FILES or ((left or files) and used + size > self._max_bytes):
                    is_all = False
                    break
                used += size
                if file := self._taken_file(name.path):
                    files.append(file)
                elif self._failures[name.path] < _TRIES and name.path.exists():
                    is_all, has_live_writer = False, True
                    break
        if has_live_writer and together:
            _release(files)
            return False
        for file in files:
            left.extend(self._read(file))
            is_all &= file.is_open or not file.path.exists() or self._failures[file.path] >= _TRIES
        return is_all

    def _taken_file(self, path: Path) -> BufferFile | None:
        """Take over one file, if its process is gone. A damaged file affects no other."""
        try:
            return take_over(path)
        except Exception as error:
            if isinstance(error, OSError) and error.errno in _OF_THE_FOLDER:
                raise
            self._note_unread(path, error)
            return None

    def _read(self, file: BufferFile) -> Sequence[tuple[float, Request]]:
        try:
            saved = file.read(self._numbers)
        except Exception as error:  # noqa: BLE001 - a damaged file affects no other
            self._note_unread(file.path, error)
            if is_corrupt(error):
                file.set_aside()
            else:
                file.release()
            return []
        if not saved:
            file.discard()
            return []
        if file.is_damaged:
            _logger.warning("Part of %s cannot be read: sending the rest, then setting the file aside", file.path)
        self.taken.append(file)
        return saved

    def _note_unread(self, path: Path, error: Exception) -> None:
        if not self._failures[path]:
            what = "set aside" if is_corrupt(error) else "left where it is"
            _logger.warning("%s cannot be read (%s): it is %s, and not sent", path, error, what)
        self._failures[path] += 1 if is_of_the_disk(error) else _TRIES


@contextmanager
def _released_on_error(files: Iterable[BufferFile]) -> Iterator[None]:
    """Release files if not all of them could be taken: nobody would deliver what stays locked and unread."""
    try:
        yield
    except BaseException:
        _release(files)
        raise


def _release(files: Iterable[BufferFile]) -> None:
    for file in files:
        file.release()
