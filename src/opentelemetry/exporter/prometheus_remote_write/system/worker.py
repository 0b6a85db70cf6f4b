"""Work that is done in another thread, or by its waiter if no thread can be started.

``threading.Thread.start`` waits for the thread to begin, which is forever if memory runs out in between. So threads are
started here without waiting; work that has not begun can be taken back, and a thread that has died is noticed.
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

_LOOK_EVERY = 1.0  # seconds between two checks of a thread that is waited for


class BackgroundWork(Generic[T]):
    """Does some work once, in a thread of its own and a copy of this context. At most one thread waits for it.

    Args:
        work: Called without arguments.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._untaken = [None]  # whichever thread takes the item does the work
        self._outcome: tuple[T] | BaseException | None = None
        self._ended = threading.Lock()
        self._ended.acquire()
        life = _Life()
        self._life = ref(life)
        try:
            # Looked up now: under gevent it starts a greenlet.
            _thread.start_new_thread(copy_context().run, (self._run, life))
        except (RuntimeError, MemoryError) as error:
            if error.__traceback__ and error.__traceback__.tb_next:  # not from this call: a signal handler raised it
                raise
            self._run(life)  # no thread can be started any more, as at the interpreter's exit

    def take_back(self) -> bool:
        """Take the work back; return whether it had not begun, and now never will."""
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
        """Wait for its end, and return its result or raise its exception.

        Raises:
            MemoryError: Its thread died of that.
        """
        self.wait()
        outcome, self._outcome = self._outcome, None
        if isinstance(outcome, tuple):
            return outcome[0]
        raise outcome or MemoryError("the thread has died")

    def _run(self, _life: _Life | None) -> None:
        # If memory is exhausted, noticing the end must need nothing but this.
        try:
            self._untaken.pop()
        except IndexError:
            return
        try:
            self._outcome = (self._work(),)
        except BaseException as error:  # noqa: BLE001 - raised where the result is requested
            self._outcome = error
        finally:
            self._ended.release()


class _Life:
    """Alive for as long as its thread."""


def together(work: Callable[[], None], workers: int) -> None:
    """Do some work in several threads at once, including this one.

    Args:
        work: The work is done when any of the calls returns.
        workers: How many threads.
    """
    helpers = [BackgroundWork(work) for _ in range(workers - 1)]
    try:
        work()
    finally:
        for helper in helpers:
            if not helper.take_back():
                helper.wait()
