"""Notices a signal while the main thread is in a long call, where no signal handler of Python's gets to run.

What the system calls is the handler of :mod:`faulthandler`, which is written in C: it writes to our pipe, from which a
thread reads, and then calls the handler that was there before it. Unlike the wakeup descriptor of :mod:`signal` it is
nobody else's: asyncio takes that one for itself. The thread needs the interpreter's lock, so a call that never gives it
away (``sum(range(10**12))``) is not helped; those that wait, compute in C or ask a database do.
"""

from __future__ import annotations

import _thread
import os
import signal
import types
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TypeAlias

from ..system.descriptor import Descriptor

try:
    from faulthandler import register, unregister
except ImportError:  # Windows
    register = unregister = None  # type: ignore[assignment]  # a platform without it

__all__ = [
    "SignalWatch",
    "handler_of",
    "has_threads",
    "register",
    "set_default_action",
    "set_handler",
    "unregister",
]

Handler: TypeAlias = Callable[[int, FrameType | None], None]

_MORE_THAN_IS_WRITTEN = 65_536  # bytes


class SignalWatch:
    """Watches for one signal in a process; a forked child needs its own.

    Args:
        number: Of the signal.
        handler: Python's handler. Where the application has put another one in its place, nothing is done any more.
        arrived: Called in a thread when the signal has arrived.
    """

    def __init__(self, number: int, handler: Handler, arrived: Callable[[], None]) -> None:
        self._number = number
        self._handler = handler
        self._arrived = arrived
        self._pipe: tuple[Descriptor, Descriptor] | None = None
        self._is_registered = False

    def is_in_charge(self) -> bool:
        """Return whether the signal's handler is the one that was given."""
        return signal.getsignal(self._number) == self._handler

    def start(self) -> None:
        """Begin to watch, where that is possible; nothing is raised."""
        if register is None or not has_threads():
            return
        with suppress(OSError, RuntimeError, MemoryError):
            reading, writing = os.pipe()
            self._pipe = Descriptor(reading), Descriptor(writing)
            os.set_blocking(writing, False)
            _thread.start_new_thread(self._watch, self._pipe)
            self.resume()

    def pause(self) -> None:
        """Have only Python's handler called; nothing is raised."""
        if self._is_registered and self.is_in_charge():
            self._is_registered = False
            with suppress(Exception):
                unregister(self._number)

    def resume(self) -> None:
        """Go on after a pause; nothing is raised."""
        if self._pipe and not self._is_registered and self.is_in_charge() and self._pipe[1].is_ours():
            with suppress(Exception):
                register(self._number, file=self._pipe[1].number, all_threads=False, chain=True)
                self._is_registered = True

    def leave(self) -> None:
        """Close what a forked child has inherited; it must have been paused before the fork."""
        for descriptor in self._pipe or ():
            descriptor.close()
        self._pipe = None

    def _watch(self, reading: Descriptor, writing: Descriptor) -> None:
        with suppress(OSError):
            if os.read(reading.number, _MORE_THAN_IS_WRITTEN):
                self._arrived()
                return
        # The application has closed descriptors that are not its own, and may open others under their numbers.
        self.pause()
        reading.close()
        writing.close()


def has_threads() -> bool:
    """Return whether threads are the system's, not greenlets, which must not block."""
    return isinstance(_thread.start_new_thread, types.BuiltinFunctionType)


def handler_of(number: int) -> int | None:
    """Return the address of what handles a signal, whoever has set it.

    Raises:
        ImportError: This build of Python cannot tell.
    """
    import ctypes  # noqa: PLC0415 - some builds of Python are without it

    handler = ctypes.pythonapi.PyOS_getsig
    handler.restype, handler.argtypes = ctypes.c_void_p, (ctypes.c_int,)
    found: int | None = handler(number)
    return found


def set_handler(number: int, address: int | None) -> None:
    """Set what handles a signal, from any thread.

    Raises:
        ImportError: This build of Python cannot do so.
    """
    import ctypes  # noqa: PLC0415 - some builds of Python are without it

    set_action = ctypes.pythonapi.PyOS_setsig
    set_action.argtypes, set_action.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p
    set_action(number, address)


def set_default_action(number: int) -> bool:
    """Set a signal's default action from any thread, which Python's own function does in the main thread alone.

    Returns:
        Whether that was possible.
    """
    try:
        set_handler(number, int(signal.SIG_DFL))
    except (ImportError, AttributeError):  # some builds of Python are without ctypes
        return False
    return True
