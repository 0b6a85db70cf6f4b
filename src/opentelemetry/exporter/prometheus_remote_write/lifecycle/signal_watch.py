"""Notices a signal while the main thread is in a long call, where Python's signal handlers do not run.

The system calls the handler of :mod:`faulthandler`, which is written in C: it writes to our pipe, from which a thread
reads, and then calls the previous handler. Unlike the wakeup descriptor of :mod:`signal`, which asyncio claims, it is
free to use. The thread needs the GIL, so this does not help in a call that never releases it (``sum(range(10**12))``);
calls that wait, compute in C or query a database release it.
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
    register = unregister = None  # type: ignore[assignment]  # not on this platform

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
_HIGH = 900  # a descriptor's number: below the usual limit of 1024, above those that most applications come to


class SignalWatch:
    """Watches for one signal in a process; a forked child needs its own.

    Args:
        number: The signal's number.
        handler: Python's handler. Once the application has replaced it, nothing more is done.
        arrived: Called in a thread when the signal has arrived.
    """

    def __init__(self, number: int, handler: Handler, arrived: Callable[[], None]) -> None:
        self._number = number
        self._handler = handler
        self._arrived = arrived
        self._pipe: tuple[Descriptor, Descriptor] | None = None
        self._is_registered = False

    def is_in_charge(self) -> bool:
        """Return whether the signal's handler is still the given one."""
        return signal.getsignal(self._number) == self._handler

    def start(self) -> None:
        """Begin to watch, if that is possible; raise nothing."""
        if register is None or not has_threads():
            return
        with suppress(OSError, RuntimeError, MemoryError):
            reading, writing = os.pipe()
            writing = _moved_up(writing)
            self._pipe = Descriptor(reading), Descriptor(writing)
            os.set_blocking(writing, False)
            _thread.start_new_thread(self._watch, self._pipe)
            self.resume()

    def pause(self) -> None:
        """Let only Python's handler be called; raise nothing."""
        if self._is_registered and self.is_in_charge():
            self._is_registered = False
            with suppress(Exception):
                unregister(self._number)

    def resume(self) -> None:
        """Resume after a pause; raise nothing."""
        if self._pipe and not self._is_registered and self.is_in_charge() and self._pipe[1].is_ours():
            with suppress(Exception):
                register(self._number, file=self._pipe[1].number, all_threads=False, chain=True)
                self._is_registered = True

    def leave(self) -> None:
        """Close what a forked child inherited; the watch must have been paused before the fork."""
        for descriptor in self._pipe or ():
            descriptor.close()
        self._pipe = None

    def _watch(self, reading: Descriptor, writing: Descriptor) -> None:
        with suppress(OSError):
            if os.read(reading.number, _MORE_THAN_IS_WRITTEN):
                self._arrived()
                return
        # The application has closed our descriptors, and may open others under their numbers.
        self.pause()
        reading.close()
        writing.close()


def _moved_up(number: int) -> int:
    """Give a descriptor a high number, if that is possible.

    An application that closes all descriptors, and opens files at once, gets the lowest numbers for them: a signal that
    comes before the thread has noticed is then not written into one of its files.
    """
    import fcntl  # noqa: PLC0415 - not on every platform

    try:
        moved = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, _HIGH)
    except OSError:
        return number
    os.close(number)
    return moved


def has_threads() -> bool:
    """Return whether threads are real, not greenlets, which must not block."""
    return isinstance(_thread.start_new_thread, types.BuiltinFunctionType)


def handler_of(number: int) -> int | None:
    """Return the address of a signal's handler, whoever set it.

    Raises:
        ImportError: This build of Python cannot tell.
    """
    import ctypes  # noqa: PLC0415 - some builds of Python lack it

    handler = ctypes.pythonapi.PyOS_getsig
    handler.restype, handler.argtypes = ctypes.c_void_p, (ctypes.c_int,)
    found: int | None = handler(number)
    return found


def set_handler(number: int, address: int | None) -> None:
    """Set what handles a signal, from any thread.

    Raises:
        ImportError: This build of Python cannot do so.
    """
    import ctypes  # noqa: PLC0415 - some builds of Python lack it

    set_action = ctypes.pythonapi.PyOS_setsig
    set_action.argtypes, set_action.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p
    set_action(number, address)


def set_default_action(number: int) -> bool:
    """Set a signal's default action from any thread; Python's own function works only in the main thread.

    Returns:
        Whether that was possible.
    """
    try:
        set_handler(number, int(signal.SIG_DFL))
    except (ImportError, AttributeError):  # some builds of Python are without ctypes
        return False
    return True
