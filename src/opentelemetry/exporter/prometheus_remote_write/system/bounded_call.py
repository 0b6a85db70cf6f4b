"""A call that may hang, made in a thread of its own: who waits for it has a deadline, the call has none.

The system's resolver and a read of a file (on a dead NFS, of a device) can be neither interrupted nor timed. So such a
call is left behind when the time is over. At most one of a kind is outstanding: who asks the same again waits for the
call that is under way, so a name service that never answers costs one thread, not one for each look-up.
"""

from __future__ import annotations

import _thread
import os
import sys
from collections.abc import Callable, Hashable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Generic, TypeVar
from weakref import WeakSet

T = TypeVar("T")

EXIT_THREAD_NEEDED = sys.version_info >= (3, 12)
"""Whether no thread can be started at the interpreter's exit."""


class Waiter:
    """A wait that ends once. It is a lock, which no interruption leaves in between, and nothing of threading's.

    Locks and threads are looked up when they are needed: where gevent has patched them they belong together.
    """

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._lock.acquire()

    def wait(self, seconds: float | None) -> bool:
        """Wait for so long, or for ever; return whether it was ended."""
        if not self._lock.acquire(timeout=-1 if seconds is None else min(seconds, _thread.TIMEOUT_MAX)):
            return False
        self.end()
        return True

    def end(self) -> None:
        """End it, now or when it begins."""
        with suppress(RuntimeError):  # it is ended
            self._lock.release()


def bounded_call(key: Hashable, function: Callable[[], T], seconds: float | None, waiter: Waiter | None = None) -> T:
    """Make a call, and wait for its result for so long.

    Args:
        key: What is asked: while a call of the same key is outstanding, its result is waited for instead.
        function: Called without arguments, in another thread.
        seconds: How long to wait; None is no limit.
        waiter: Whose end ends the wait.

    Raises:
        TimeoutError: There is no result in time. The call is left to itself.
        BaseException: What the function raises.
    """
    key = (os.getpid(), key)  # the threads of a parent are not those of its forked child
    mine: _Call[T] = _Call(key, function)
    started = False
    try:
        call: _Call[T] = _outstanding.setdefault(key, mine)
        if call is mine:
            _start(mine.run)
        started = True
    finally:  # whatever interrupts it here: no call is outstanding that nobody makes
        if not started and _outstanding.get(key) is mine:
            del _outstanding[key]
    return call.wait(seconds, waiter or Waiter())


class ExitThread:
    """A thread that is there before it is needed, for calls at the interpreter's exit; or several."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._process = 0
        self._threads = 0
        self._users: WeakSet[Any] = WeakSet()

    def start(self, user: object, threads: int = 1) -> None:
        """Start the thread, unless this process has it; a forked child has none. Nothing is raised.

        Args:
            user: For whom; the thread ends with the last one.
            threads: How many there have to be: one more than calls that may hang until the end.
        """
        self._users.add(user)
        if self._process != os.getpid():
            self._tasks, self._threads = SimpleQueue(), 0
        with suppress(RuntimeError, MemoryError):  # as many threads as there may be
            while self._threads < threads:
                _thread.start_new_thread(_work, (self._tasks,))
                self._process = os.getpid()
                self._threads += 1

    def stop(self, user: object) -> None:
        """End the thread, where nobody else needs it."""
        self._users.discard(user)
        if not self._users and self._process == os.getpid():
            self._process = 0
            for _ in range(self._threads):
                self._tasks.put(None)

    def do(self, task: Callable[[], None]) -> None:
        """Do something in the thread; where there is none, do it at once.

        Args:
            task: Raises nothing.
        """
        if self._process == os.getpid():
            self._tasks.put(task)
        else:
            task()


EXIT_THREAD = ExitThread()
"""The process's."""


class _Call(Generic[T]):
    def __init__(self, key: Hashable, function: Callable[[], T]) -> None:
        self._key = key
        self._function = function
        self._outcome: tuple[T] | BaseException | None = None
        self._waiters: list[Waiter] = []

    def run(self) -> None:
        outcome: tuple[T] | BaseException
        try:
            outcome = (self._function(),)
        except BaseException as error:  # noqa: BLE001 - raised by who waits
            outcome = error
        _outstanding.pop(self._key, None)  # first: who asks from now on asks anew
        self._outcome = outcome
        for waiter in tuple(self._waiters):
            waiter.end()

    def wait(self, seconds: float | None, waiter: Waiter) -> T:
        self._waiters.append(waiter)
        try:
            if self._outcome is None:
                waiter.wait(seconds)
        finally:
            self._waiters.remove(waiter)
        if self._outcome is None:
            raise TimeoutError("it did not answer in time")
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        return self._outcome[0]


_outstanding: dict[Hashable, _Call[Any]] = {}


def _start(run: Callable[[], None]) -> None:
    try:
        # It does not wait for the thread to begin, as threading does: for ever, where the memory is used up.
        _thread.start_new_thread(run, ())
    except RuntimeError:  # no thread can be started any more: the last export of a process that ends
        EXIT_THREAD.do(run)


def _work(tasks: SimpleQueue[Callable[[], None] | None]) -> None:
    while task := tasks.get():
        task()
