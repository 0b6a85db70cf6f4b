"""A turn at the disk, for which forks wait: SQLite has locks of its own, which a child must not inherit half taken."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_FORK_WAITS = 1.0  # seconds, at most, for what is under way


@contextmanager
def disk_turn() -> Iterator[None]:
    """Have forks wait while SQLite is used.

    Raises:
        OSError: This process was forked where that had not been waited for.
    """
    with _forks.gate:
        if _forks.broke_in:
            raise OSError("this process was forked while its parent wrote to the disk")
        yield


class _ForkPause:
    """What happens around a fork."""

    def __init__(self, *, broke_in: bool = False) -> None:
        self.gate = Lock()
        self.broke_in = broke_in
        self._is_held = False

    def before(self) -> None:
        self._is_held = self.gate.acquire(timeout=_FORK_WAITS)

    def in_parent(self) -> None:
        if self._is_held:
            self._is_held = False
            self.gate.release()

    def in_child(self) -> None:
        # Who forks without Python's hooks, as uWSGI does, does not call the one before.
        broke_in = not self._is_held and self.gate.locked()
        self.__init__(broke_in=self.broke_in or broke_in)  # type: ignore[misc]  # there is no other thread


_forks = _ForkPause()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_forks.before, after_in_parent=_forks.in_parent, after_in_child=_forks.in_child)
