"""Work that forks wait for: a forked child would find it half done, and its locks never released."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, get_ident

_FORK_WAITS = 1.0  # seconds, at most
_NO_THREAD = 0


class ForkPause:
    """Makes the forks of this process wait, up to some time, while a piece of work is in progress; once if it hangs.

    Fork handlers cannot be unregistered: there is one for each kind of work, for the life of the process.

    Args:
        before: Called in the parent before each fork.
        seconds: The longest that a fork waits.

    Attributes:
        broke_in: Whether this process, or one of its parents, was forked in the middle of the work.
    """

    def __init__(self, before: Callable[[], None] = lambda: None, seconds: float = _FORK_WAITS) -> None:
        self._seconds = seconds
        self._before = before
        self._lock = Lock()
        self._held_by = _NO_THREAD
        self._hangs = False  # a fork has waited in vain for the work in progress
        self.broke_in = False
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._before_fork, after_in_parent=self._after_in_parent, after_in_child=self._after_in_child
            )

    @contextmanager
    def work(self) -> Iterator[None]:
        """Make forks wait until the work is done."""
        with self._lock:
            try:
                yield
            finally:
                self._hangs = False

    def wait(self) -> None:
        """Wait until no other thread does the work, for at most as long as a fork waits."""
        if self._lock.acquire(timeout=self._seconds):
            self._lock.release()

    def _before_fork(self) -> None:
        self._before()
        if self._lock.acquire(timeout=0 if self._hangs else self._seconds):
            self._held_by = get_ident()  # not another forking thread that has waited in vain
        else:
            self._hangs = True

    def _after_in_parent(self) -> None:
        if self._held_by == get_ident():
            self._held_by = _NO_THREAD
            self._lock.release()

    def _after_in_child(self) -> None:
        # A fork without Python's hooks, such as uWSGI's, does not call the handler before it.
        self.broke_in = self.broke_in or (self._held_by != get_ident() and self._lock.locked())
        self._lock, self._held_by, self._hangs = Lock(), _NO_THREAD, False  # there is no other thread
