"""Work that is done in another thread, or by who waits for it where there is none.

``threading.Thread.start`` waits for the thread to begin, which is for ever where the memory ends between the two. So
threads are started here without waiting, and what has not begun can be taken back.
"""

from __future__ import annotations

import _thread
from collections.abc import Callable
from contextvars import copy_context
from typing import Generic, TypeVar

from .flag import Flag

T = TypeVar("T")

_TO_BEGIN = 1.0  # seconds after which a thread that has not begun is not waited for


class Helper(Generic[T]):
    """Does some work once, in a thread of its own and a copy of this context.

    Args:
        work: Called without arguments.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._untaken = [None]  # who takes it out does the work
        self._outcome: tuple[T] | BaseException | None = None
        self._ended = Flag()
        try:
            # Looked up now: in an application of gevent's it is a greenlet that is started.
            _thread.start_new_thread(copy_context().run, (self._run,))
        except (RuntimeError, MemoryError) as error:
            if error.__traceback__ and error.__traceback__.tb_next:  # not of this call: a signal handler has raised it
                raise
            self._run()  # no thread can be started any more, as at the interpreter's exit

    def take_back(self) -> bool:
        """Return whether it has not begun, and now never will."""
        try:
            self._untaken.pop()
        except IndexError:
            return False
        return True

    def wait(self) -> None:
        """Wait for its end; do it here if it does not begin."""
        if not self._ended.wait(_TO_BEGIN) and self._untaken:
            self._run()
        self._ended.wait()

    def result(self) -> T:
        """Wait for its end, and return or raise what it did."""
        self.wait()
        outcome, self._outcome = self._outcome, None
        if isinstance(outcome, tuple):
            return outcome[0]
        raise outcome or RuntimeError("the work was taken back")

    def _run(self) -> None:
        if not self.take_back():
            return
        try:
            self._outcome = (self._work(),)
        except BaseException as error:  # noqa: BLE001 - raised by who asks for the result
            self._outcome = error
        finally:
            self._ended.set()


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
