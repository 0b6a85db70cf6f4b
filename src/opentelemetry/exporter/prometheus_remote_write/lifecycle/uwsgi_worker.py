"""The end of uWSGI's workers: uWSGI skips Python's exit handlers in a worker that is in the middle of a request.

At SIGINT, with which its master ends them all, and at SIGTERM a worker exits from within the signal's handler, which is
written in C. So another handler in C replaces it, that of :mod:`faulthandler`: it writes to our pipe, from which a
thread reads. The thread makes the worker accept no more requests, flushes if the worker is busy, and then ends it.
"""

from __future__ import annotations

import _thread
import atexit
import math
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ..system.descriptor import Descriptor
from .ending import flush_all, seconds_left
from .signal_watch import handler_of, has_threads, register, unregister
from .uwsgi_start import EarlySignals

_ENDS = (signal.SIGINT, signal.SIGTERM)
_FIRST_LOOK, _LOOK = 0.001, 0.02  # seconds until the first and between further checks of the worker's progress
_FORKED_BY_UWSGI = 10.0  # seconds, at most, until uWSGI has noted its new worker's process id
_GEVENT_BEGINS = 10.0  # seconds, at most, until gevent's loop runs
_MOMENT = 0.1  # seconds for an exit to be noticed, which a second one would cut short, and to answer a request
_ASYNCHRONOUS = ("async", "gevent")  # options
_FREE = (b"idle", b"pause")
_SLACK = 1.0  # seconds beyond the exporters'
_MORE_THAN_IS_WRITTEN = 65_536  # bytes


def watch_end_of_worker(uwsgi: Any, early: EarlySignals) -> None:
    """Make this process flush at its end, if it is a worker; raise nothing.

    Args:
        uwsgi: uWSGI's module.
        early: The signals that are kept until it handles them; they are released.
    """
    global _watch  # noqa: PLW0603 - one for each process
    if register is None or not has_threads() or (_watch and _watch.process == os.getpid()):
        return
    try:
        if _watch:
            _watch.leave()
        _watch = _WorkerEnd(uwsgi, early)
        _thread.start_new_thread(_watch.run, ())
        _handle_forks()
    except Exception:  # noqa: BLE001 - the worker serves anyway
        early.release()


class _WorkerEnd:
    """Watches for the signals that end this process.

    Args:
        uwsgi: uWSGI's module.
        early: The signals that are kept until this process handles them.
    """

    def __init__(self, uwsgi: Any, early: EarlySignals) -> None:
        self.process = os.getpid()
        self._uwsgi = uwsgi
        self._early = early
        self._inherited = _handlers()
        self._pipe: tuple[Descriptor, Descriptor] | None = None
        self._is_registered = False
        self._leaves = False
        atexit.register(self._leave)  # called before all handlers registered earlier, such as the SDK's

    def run(self) -> None:
        """Watch from the time the worker accepts requests until its end."""
        with suppress(Exception):
            signal.pthread_sigmask(signal.SIG_BLOCK, {*_ENDS, signal.SIGHUP})  # signals belong to the main thread
            if self._begins():
                reading, writing = os.pipe()
                os.set_blocking(writing, False)
                self._pipe = Descriptor(reading), Descriptor(writing)
                came = self._early.release()
                self.resume()
                for number in came:
                    os.kill(self.process, number)
                if os.read(reading, _MORE_THAN_IS_WRITTEN):
                    self._end()

    def pause(self) -> None:
        """Let only uWSGI's own handlers be called."""
        self._early.release()
        if self._is_registered:
            self._is_registered = False
            for number in _ENDS:
                unregister(number)

    def resume(self) -> None:
        """Resume after a pause."""
        if self._pipe and not self._is_registered and self._pipe[1].is_ours():
            self._is_registered = True
            for number in _ENDS:
                register(number, file=self._pipe[1].number, all_threads=False)

    def leave(self) -> None:
        """Close what a forked child inherited."""
        for descriptor in self._pipe or ():
            descriptor.close()

    def _begins(self) -> bool:
        """Return whether this process is a worker, when it handles signals."""
        if not _in_time(self._is_worker, _FORKED_BY_UWSGI):
            self._early.release()
            return False
        _in_time(self._has_begun, math.inf)
        if self._has_option("gevent"):  # which then sets handlers of its own
            self._inherited = _handlers()
            _in_time(self._has_begun, _GEVENT_BEGINS)
        return True

    def _is_worker(self) -> bool:
        """Return whether this process is a worker, not a worker's child."""
        return self.process in {worker["pid"] for worker in self._uwsgi.workers()}

    def _has_begun(self) -> bool:
        """Return whether uWSGI has set its worker's handlers, which it does once the application is loaded."""
        handlers = _handlers()
        return len(set(handlers)) == 1 and all(map(lambda now, then: now and now != then, handlers, self._inherited))

    def _end(self) -> None:
        time.sleep(_MOMENT)
        if self._skips_handlers():
            flush_all()
        elif not self._leaves and self._uwsgi.masterpid():
            # A busy worker finishes its request and accepts no other; an idle one exits at once.
            os.kill(self.process, signal.SIGHUP)
            time.sleep(_MOMENT)
            _in_time(lambda: self._leaves or self._is_busy(), seconds_left() + _SLACK)
        if self._is_busy() and not self._leaves:
            flush_all()
        self.pause()
        if not self._leaves:
            os.kill(self.process, signal.SIGTERM)

    def _leave(self) -> None:
        self._leaves = True

    def _skips_handlers(self) -> bool:
        """Return whether uWSGI never calls Python's exit handlers in this worker, which serves several at once."""
        return any(map(self._has_option, _ASYNCHRONOUS))

    def _has_option(self, name: str) -> bool:
        return name in self._uwsgi.opt or name.encode() in self._uwsgi.opt

    def _is_busy(self) -> bool:
        """Return whether the worker is in the middle of a request."""
        return any(worker["pid"] == self.process and worker["status"] not in _FREE for worker in self._uwsgi.workers())


_watch: _WorkerEnd | None = None
_handles_forks = False


def _handle_forks() -> None:
    global _handles_forks  # noqa: PLW0603 - fork handlers cannot be unregistered
    if not _handles_forks:
        _handles_forks = True
        os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent)


def _before_fork() -> None:
    # Otherwise a child would write to its parent's pipe.
    if _watch:
        _watch.pause()


def _after_fork_in_parent() -> None:
    if _watch:
        _watch.resume()


def _in_time(is_so: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition; return whether it came true in time."""
    end = time.monotonic() + seconds
    pause = _FIRST_LOOK
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
        pause = min(2 * pause, _LOOK)
    return True


def _handlers() -> tuple[int | None, ...]:
    """Return the addresses of what handles the signals that end this process."""
    return tuple(map(handler_of, _ENDS))
