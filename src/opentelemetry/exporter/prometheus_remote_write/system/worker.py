"""Work that is done in another thread, or by who waits for it where there is none.

``threading.Thread.start`` waits for the thread to begin, which is for ever where the memory ends between the two. So
threads are started here without waiting; what has not begun can be taken back, and a thread that has died is noticed.
"""

from __future__ import annotations

import _thread
import math
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from typing import Generic, TypeVar
from weakref import ref

T = TypeVar("T")

_LOOK_EVERY = 1.0  # seconds between two looks at a thread that is waited for


class Helper(Generic[T]):
    """Does some work once, in a thread of its own and a copy of this context. One thread waits for it at most.

    Args:
        work: Called without arguments.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._untaken = [None]  # who takes it out does the work
        self._outcome: tuple[T] | BaseException | None = None
        self._ended = threading.Lock()
        self._ended.acquire()
        life = _Life()
        self._life = ref(life)
        try:
            # Looked up now: in an application of gevent's it is a greenlet that is started.
            _thread.start_new_thread(copy_context().run, (self._run, life))
        except (RuntimeError, MemoryError) as error:
            if error.__traceback__ and error.__traceback__.tb_next:  # not of this call: a signal handler has raised it
                raise
            self._run(life)  # no thread can be started any more, as at the interpreter's exit

    def take_back(self) -> bool:
        """Return whether it has not begun, and now never will."""
        try:
            self._untaken.pop()
        except IndexError:
            return False
        return True

    def wait(self, seconds: float = math.inf) -> None:
        """Wait for its end; do it here if it does not begin.

        Args:
            seconds: How long to wait, at most.
        """
        end = time.monotonic() + seconds
        while not self._ended.acquire(timeout=max(min(_LOOK_EVERY, end - time.monotonic()), 0)):
            if time.monotonic() >= end:
                return
            if self._untaken:
                self._run(None)
            elif self._life() is None:
                return

    def result(self) -> T:
        """Wait for its end, and return or raise what it did.

        Raises:
            MemoryError: Its thread died of that.
        """
        self.wait()
        outcome, self._outcome = self._outcome, None
        if isinstance(outcome, tuple):
            return outcome[0]
        raise outcome or MemoryError("the thread has died")

    def _run(self, _life: _Life | None) -> None:
        # Where the memory has ended, nothing but this must be needed for its end to be noticed.
        try:
            self._untaken.pop()
        except IndexError:
            return
        try:
            self._outcome = (self._work(),)
        except BaseException as error:  # noqa: BLE001 - raised by who asks for the result
            self._outcome = error
        finally:
            self._ended.release()


class _Life:
    """Held by a thread for as long as it lives."""


def together(work: Callable[[], None], workers: int) -> None:
    """Do some work in several threads at once, of which this is one.

    Args:
        work: Done when it returns, wherever it does so first.
        workers: How many threads.
    """
    helpers = [Helper(work) for _ in range(workers - 1)]
    try:
        work()
    finally:
        for helper in helpers:
            if not helper.take_back():
                helper.wait()
