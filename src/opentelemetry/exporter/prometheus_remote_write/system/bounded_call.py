"""A call that may hang, made in a thread of its own: its caller has a deadline, the call has none.

The system's resolver and a read of a file (on a dead NFS, of a device) can be neither interrupted nor timed. So such a
call is abandoned when time is up. At most one of a kind is outstanding: a caller with the same key waits for the call
in progress, so a name service that never answers costs one thread, not one for each lookup.
"""

from __future__ import annotations

import _thread
import os
import sys
import types
from collections.abc import Callable, Hashable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Generic, TypeVar
from weakref import WeakSet

T = TypeVar("T")

EXIT_THREAD_NEEDED = sys.version_info >= (3, 12)
"""Whether no thread can be started at the interpreter's exit."""


class Waiter:
    """A wait that ends once. It is a plain lock, not an Event: no interruption leaves it in between.

    Locks and threads are looked up when they are needed, so that both are gevent's if gevent has patched them.
    """

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._lock.acquire()

    def wait(self, seconds: float | None) -> bool:
        """Wait for some time, or forever; return whether it was ended."""
        if not self._lock.acquire(timeout=-1 if seconds is None else min(seconds, _thread.TIMEOUT_MAX)):
            return False
        self.end()
        return True

    def end(self) -> None:
        """End it, now or when it begins."""
        with suppress(RuntimeError):  # it was ended already
            self._lock.release()


def bounded_call(key: Hashable, function: Callable[[], T], seconds: float | None, waiter: Waiter | None = None) -> T:
    """Make a call, and wait some time for its result.

    Args:
        key: Identifies the call: while one with the same key is outstanding, its result is used instead.
        function: Called without arguments, in another thread.
        seconds: How long to wait; None is no limit.
        waiter: Its end ends the wait.

    Raises:
        TimeoutError: There is no result in time. The call is abandoned.
        BaseException: Whatever the function raises.
    """
    key = (os.getpid(), key)  # a forked child does not have its parent's threads
    mine: _Call[T] = _Call(key, function)
    started = False
    try:
        call: _Call[T] = _outstanding.setdefault(key, mine)
        if call is mine:
            _start(mine.run)
        started = True
    finally:  # whatever interrupts it here: no call stays outstanding that no thread makes
        if not started and _outstanding.get(key) is mine:
            del _outstanding[key]
    return call.wait(seconds, waiter or Waiter())


class ExitThread:
    """One or more threads started in advance, for calls at the interpreter's exit."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._process = 0
        self._threads = 0
        self._users: WeakSet[Any] = WeakSet()

    def start(self, user: object, threads: int = 1) -> None:
        """Start the threads, unless this process has them; a forked child has none. Raise nothing.

        Greenlets can be started at any time, and one that waits for our queue would stop all of them.

        Args:
            user: Who needs them; they end with the last user.
            threads: How many are needed: one more than the calls that may hang until the end.
        """
        self._users.add(user)
        if self._process != os.getpid():
            self._tasks, self._threads = SimpleQueue(), 0
        if not isinstance(_thread.start_new_thread, types.BuiltinFunctionType):
            return
        with suppress(RuntimeError, MemoryError):  # no more threads are possible
            while self._threads < threads:
                _thread.start_new_thread(_work, (self._tasks,))
                self._process = os.getpid()
                self._threads += 1

    def stop(self, user: object) -> None:
        """End the threads, unless another user needs them."""
        self._users.discard(user)
        if not self._users and self._process == os.getpid():
            self._process = 0
            for _ in range(self._threads):
                self._tasks.put(None)

    def do(self, task: Callable[[], None]) -> None:
        """Do something in a reserved thread; if there is none, do it at once.

        Args:
            task: Raises nothing.
        """
        if self._process == os.getpid():
            self._tasks.put(task)
        else:
            task()


EXIT_THREAD = ExitThread()
"""The process's reserve."""


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
        except BaseException as error:  # noqa: BLE001 - raised in the waiting thread
            outcome = error
        _outstanding.pop(self._key, None)  # first: a later caller makes a new call
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
        # Unlike threading, do not wait for the thread to begin: that is forever if memory is exhausted.
        _thread.start_new_thread(run, ())
    except RuntimeError:  # no thread can be started any more: this is the last export of an ending process
        EXIT_THREAD.do(run)


def _work(tasks: SimpleQueue[Callable[[], None] | None]) -> None:
    while task := tasks.get():
        task()
