"""The deadline of a request, for everything that happens during it.

Socket timeouts apply to single operations, so a peer that sends a byte now and then could keep a request alive forever.
Instead, each operation gets what is left of the total. The deadline belongs to the context (the thread) that makes the
request, because urllib3 cannot pass it through. Another thread may bring it forward to now.
"""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from threading import Lock
from typing import TypeVar

from ..system.bounded_call import Waiter, bounded_call
from ..system.descriptor import Descriptor

T = TypeVar("T")


class Deadline:
    """The deadline of one request.

    Args:
        end: In seconds, by ``time.monotonic``; infinity is no limit.

    Attributes:
        interrupted: Whether another thread has ended it.
    """

    def __init__(self, end: float) -> None:
        self.end = end
        self.interrupted = False
        self._lock = Lock()
        self._wake: list[Callable[[], object]] = []
        self._watched: list[_Watched] = []

    def interrupt(self) -> None:
        """End the request now: whatever waits wakes up and fails."""
        with self._lock:
            self.interrupted = True
            for wake in self._wake:
                wake()

    def wake_by(self, wake: Callable[[], object]) -> None:
        """Register what ends a wait of this request.

        Args:
            wake: Called by the thread that interrupts, or at once if the request was interrupted already.
        """
        with self._lock:
            self._wake.append(wake)
            if self.interrupted:
                wake()

    def watch(self, connection: socket.socket) -> None:
        """Make an interruption end the operations of a socket, and of the TLS around it."""
        with suppress(OSError):
            # A descriptor of its own for the same connection: the socket becomes another object when it is wrapped, and
            # its number may be that of another file once it is closed.
            watched = _Watched(socket.dup(connection.fileno()))
            self._watched.append(watched)
            self.wake_by(watched.shut)

    def close(self) -> None:
        """Stop watching."""
        with self._lock:
            self._wake.clear()
        for watched in self._watched:
            watched.close()


_deadline: ContextVar[Deadline | None] = ContextVar("end of the request", default=None)


@contextmanager
def deadline(seconds: float) -> Iterator[Deadline]:
    """Limit the total time of the operations inside.

    Args:
        seconds: Time for all of them; infinity is no limit.
    """
    new = Deadline(time.monotonic() + seconds)
    token = _deadline.set(new)
    try:
        yield new
    finally:
        _deadline.reset(token)
        new.close()


def current() -> Deadline | None:
    """Return the deadline of the current request, if there is one."""
    return _deadline.get()


def remaining() -> float | None:
    """Return the seconds that are left, as a socket's timeout: None for no limit.

    Raises:
        TimeoutError: Nothing is left.
    """
    running = _deadline.get()
    if running is None:
        return None
    left = 0.0 if running.interrupted else running.end - time.monotonic()
    if left <= 0:
        raise TimeoutError("request deadline exceeded")
    return None if left == math.inf else left


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Have the running request end after some time, if not before, as far as the operations inside are concerned."""
    running = _deadline.get()
    if running is None:
        yield
        return
    end, running.end = running.end, min(running.end, time.monotonic() + seconds)
    try:
        yield
    finally:
        running.end = end


def within_deadline(key: Hashable, function: Callable[[], T], *, give_up_after: float | None = None) -> T:
    """Make a call that may hang, in a thread of its own, and wait for it within the request's deadline.

    Args:
        key: Identifies the call; see :func:`bounded_call`.
        function: Called without arguments.
        give_up_after: Seconds after which to give up earlier; None for no earlier limit.

    Raises:
        TimeoutError: There is no result in time, or the request is interrupted. The call is abandoned.
        BaseException: Whatever the function raises.
    """
    waiter = Waiter()
    if running := current():
        running.wake_by(waiter.end)
    seconds = remaining()
    if give_up_after is not None:
        seconds = give_up_after if seconds is None else min(seconds, give_up_after)
    return bounded_call(key, function, seconds, waiter)


class _Watched:
    """A connection of the running request, as long as the application does not close it.

    Args:
        number: A descriptor of it, which this object owns from now on.
    """

    def __init__(self, number: int) -> None:
        self._descriptor = Descriptor(number)
        self._socket = socket.socket(fileno=number)

    def shut(self) -> None:
        """End its operations."""
        if self._descriptor.is_ours():
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the descriptor; raise nothing."""
        self._socket.detach()
        self._descriptor.close()
