"""SIGTERM with its default action ends a process without the interpreter's exit, and so without the last interval.

That is how Kubernetes and most supervisors end one. Here the last interval is sent first; the process then dies of the
same signal. An application's own handler is left alone, whether it was set earlier or later.

The flush runs in a thread of its own. The main thread may have been interrupted while it held a lock that the flush
needs, so it waits for at most half of the time and then continues, to release the lock. If it is in a long call, it
does not even get to wait; the process ends anyway.

Supervisors often send the signal twice, to a process's group and from the process that forwards it. So another one
means nothing new: the end is bounded anyway.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from importlib.util import find_spec
from types import FrameType

from ..system.flag import Flag
from .ending import flush_all, flushes_here, pushers, seconds_left
from .signal_watch import SignalWatch, set_default_action
from .uwsgi_embeds import uwsgi_may_embed

_TO_RETURN = 0.02  # seconds for the handler in C, which installs itself again at its end
_SLACK = 1.0  # seconds beyond the exporters' for threads to be scheduled


def _has_ctypes() -> bool:
    """Return whether the default action can be set from any thread, as `set_default_action` does."""
    try:
        return find_spec("_ctypes") is not None
    except Exception:  # noqa: BLE001 - whatever a finder of modules raises
        return False


_HAS_CTYPES = _has_ctypes()  # looked up early: an application may add finders of modules that raise


class Termination:
    """What a process does at one SIGTERM.

    Args:
        survived: Called in the main thread if the process lives on, as process 1 of a container does, which no default
            action ends.
    """

    def __init__(self, survived: Callable[[], None]) -> None:
        self._survived = survived
        self.watch = SignalWatch(signal.SIGTERM, self.handle, self._arrived)
        self._untaken = [None]  # whichever thread takes the item flushes
        self._flushed = Flag()
        self._handled = Flag()
        self._over = Flag()

    @property
    def has_begun(self) -> bool:
        """Whether the signal was handled by Python."""
        return self._handled.is_set()

    def start(self) -> None:
        """Handle the signal from now on; called in the main thread."""
        signal.signal(signal.SIGTERM, self.handle)
        self.watch.start()

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        """Wait for the flush, or let it continue; called by Python in the main thread."""
        if self.has_begun:
            return
        self._handled.set()
        self.watch.pause()
        if not _HAS_CTYPES:  # then it cannot be done later, in another thread
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        seconds = seconds_left()
        try:
            _thread.start_new_thread(self._flush_and_die, (seconds,))
        except (RuntimeError, MemoryError):
            self._flush_and_die(seconds)
        # A flush that was interrupted in this thread can only end if the thread continues.
        if not flushes_here() and self._over.wait(seconds / 2):
            self._survived()

    def _arrived(self) -> None:
        """Flush without the main thread, which may be in a long call; called in a thread after the signal."""
        time.sleep(_TO_RETURN)
        self.watch.pause()
        self._flush_and_die(seconds_left())

    def _flush_and_die(self, seconds: float) -> None:
        try:
            self._untaken.pop()
        except IndexError:  # another thread flushes
            return
        try:
            _thread.start_new_thread(self._flush, ())
        except (RuntimeError, MemoryError):
            self._flush()
        self._flushed.wait(seconds + _SLACK)
        can_die_of_it = not self.watch.is_in_charge() or set_default_action(signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM if can_die_of_it else signal.SIGKILL)
        self._over.set()

    def _flush(self) -> None:
        try:
            flush_all()
        finally:
            self._flushed.set()


class Terminations:
    """The flush of this process, replaced in each forked child."""

    def __init__(self) -> None:
        self._current: Termination | None = None
        self._handles_forks = False
        self._masks: dict[int, Collection[int]] = {}  # the signal masks before a fork, by thread

    def renew(self) -> None:
        """Handle the next signal; called in the main thread."""
        self._current = Termination(self.renew)
        self._current.start()
        if not self._handles_forks and hasattr(os, "register_at_fork"):
            self._handles_forks = True
            os.register_at_fork(
                before=self._before_fork, after_in_parent=self._after_fork_in_parent, after_in_child=self._after_fork
            )

    def _before_fork(self) -> None:
        # Around a fork, a child still has the parent's pipe and would report its own signal to the parent; and Python
        # forgets a signal that reaches a child before it has reinitialized there. So the signal has to wait.
        if self._current and self._current.watch.is_in_charge():
            self._current.watch.pause()
            self._masks[threading.get_ident()] = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def _after_fork_in_parent(self) -> None:
        if self._current and not self._current.has_begun:
            self._current.watch.resume()
        self._unblock()

    def _after_fork(self) -> None:
        inherited, self._current = self._current, None
        if inherited:
            inherited.watch.leave()
            if inherited.watch.is_in_charge():
                with suppress(ValueError):
                    self.renew()
        if "gunicorn.workers.base" in sys.modules:
            from .gunicorn import after_init_signals  # noqa: PLC0415 - only there

            after_init_signals(flush_on_sigterm)
        self._unblock()
        self._masks.clear()

    def _unblock(self) -> None:
        mask = self._masks.pop(threading.get_ident(), {signal.SIGTERM})
        if signal.SIGTERM not in mask:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


_TERMINATIONS = Terminations()


def flush_on_sigterm() -> None:
    """Make SIGTERM flush first, if there is something to flush and its action is the default; raise nothing."""
    try:
        if pushers() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL and not _is_uwsgi():
            _TERMINATIONS.renew()
    except ValueError:
        return  # only the main thread can set handlers; launchers configure from it


def _is_uwsgi() -> bool:
    if not uwsgi_may_embed():
        return False
    from .uwsgi import is_uwsgi  # noqa: PLC0415 - only there

    return is_uwsgi()
