"""One export at a time, in order of arrival; the one in progress can be waited for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from ..system.flag import Flag
from .undisturbed import undisturbed

T = TypeVar("T")


class Turns:
    """Lets exports take turns.

    Args:
        begin: Called when a turn begins, and never at the same time as what :meth:`during` calls.

    Attributes:
        under_way: The turn in progress: a flag that is set at its end; None if there is none.
    """

    def __init__(self, begin: Callable[[], None]) -> None:
        self._begin = begin
        self._waiting: deque[_Work[object]] = deque()
        self._lock = Lock()
        self._change = Lock()
        self.under_way: Flag | None = None

    def take(self, work: Callable[[], T]) -> T:
        """Wait for a turn, and do some work in it, undisturbed.

        Args:
            work: Called without arguments.

        Raises:
            MemoryError: There is not enough left to do it.
        """
        mine = _Work(work)
        self._waiting.append(mine)  # type: ignore[arg-type]  # its result matters only here
        undisturbed(self._work_off)
        return mine.result()

    def during(self, turn: Flag, act: Callable[[], None]) -> None:
        """Do something if a turn is still in progress.

        Args:
            turn: One that was ``under_way``.
            act: Called without arguments; it must not wait.
        """
        with self._change:
            if self.under_way is turn:
                act()

    def _work_off(self) -> None:
        # Everything that waits, in order of arrival, done by whichever thread is first: none depends on a stuck one.
        with self._lock:
            while self._waiting:
                work = self._waiting.popleft()
                turn = Flag()
                try:
                    with self._change:
                        self.under_way = turn
                        self._begin()
                    work.do()
                finally:
                    self.under_way = None
                    turn.set()


class _Work(Generic[T]):
    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._outcome: tuple[T] | BaseException | None = None

    def do(self) -> None:
        try:
            self._outcome = (self._work(),)
        except BaseException as error:  # noqa: BLE001 - raised where the result is requested
            self._outcome = error

    def result(self) -> T:
        outcome, self._outcome = self._outcome, None
        if isinstance(outcome, tuple):
            return outcome[0]
        raise outcome or MemoryError("it was not done")
