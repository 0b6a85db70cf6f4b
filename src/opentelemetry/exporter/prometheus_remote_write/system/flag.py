"""A flag that threads wait for."""

from __future__ import annotations

import threading
from contextlib import suppress


class Flag:
    """Like :class:`threading.Event`, but nothing can leave it locked.

    An Event keeps its lock forever if a signal handler of the application raises (as Ctrl-C does) while it is set,
    cleared or waited for; whoever touches it later hangs. Here each waiter has a lock of its own, for which nobody else
    waits, and no other lock is ever held.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._waiters: list[threading.Lock] = []

    def is_set(self) -> bool:
        """Return whether it is set."""
        return self._is_set

    def set(self) -> None:
        """Set it, and wake all waiters."""
        self._is_set = True
        for waiter in tuple(self._waiters):
            with suppress(RuntimeError):  # it was woken already
                waiter.release()

    def clear(self) -> None:
        """Clear it, so that later callers wait again."""
        self._is_set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set.

        Args:
            timeout: Seconds; None is no limit.

        Returns:
            Whether it is set.
        """
        waiter = threading.Lock()
        waiter.acquire()
        self._waiters.append(waiter)
        try:
            if not self._is_set:
                waiter.acquire(timeout=_seconds(timeout))
            return self._is_set
        finally:
            self._waiters.remove(waiter)


def _seconds(timeout: float | None) -> float:
    return -1 if timeout is None else min(max(timeout, 0.0), threading.TIMEOUT_MAX)
