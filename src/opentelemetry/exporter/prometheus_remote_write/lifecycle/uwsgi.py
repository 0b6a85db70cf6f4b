"""uWSGI forks its workers without Python's fork hooks, unless configured to call them: here they run in each worker.

Its module exists only inside uWSGI, and only some time after the interpreter has started, which is when the launcher
creates an exporter. So a finder, which finds nothing, looks for it at the next import: in the master if the application
is loaded before the fork, in the worker (``--lazy-apps``) if it is loaded after it.

The master forks whenever a worker has ended, even while another thread holds the GIL: a worker forked then waits for
the GIL forever. So no thread of ours runs in a master, unless it is configured to take the GIL before it forks; and
what was counted in the master belongs to the first worker.
"""

from __future__ import annotations

import _imp
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ..messages.own_logger import OwnLogger
from .gevent_patches import begin_patching, has_green_exports
from .uwsgi_options import CALLS_HOOKS, CALLS_HOOKS_IN_CHILDREN, LAZY, PATCHES, options_needed, options_set
from .uwsgi_start import EarlySignals
from .uwsgi_worker import watch_end_of_worker

_logger = OwnLogger(__name__)

_MODULE = "pyuwsgi"
_MASTER_LOOKS = 1.0  # seconds: how often the master looks for workers that have ended, and for its own end


def run_hooks_in_workers() -> None:
    """Make Python's fork hooks run in the workers, if this is uWSGI; raise nothing."""
    if "uwsgi" in sys.modules:
        _found(os.getpid(), has_own_threads=True)
    elif is_uwsgi():
        _start.process = os.getpid()
        sys.meta_path.insert(0, _Finder(os.getpid()))


def threads_wait(begin: Callable[[], None]) -> bool:
    """Return whether this process may be a master, in which no thread may run.

    Args:
        begin: Called if it turns out not to be one, or one that forks safely.
    """
    if _start.process != os.getpid():
        return False
    _start.waiting.append(begin)
    return True


def worker_starts() -> None:
    """Do what a worker needs first; to be called in every forked child, before anything else. Nothing is raised."""
    if "uwsgi" in sys.modules:
        uwsgi: Any = sys.modules["uwsgi"]
        _start.early = EarlySignals()
        with suppress(Exception):
            options = options_set(uwsgi)
            _expect_patches(options)
            # uWSGI's own hooks run before a worker knows its number, and not from Python code.
            is_worker = uwsgi.worker_id() or (CALLS_HOOKS in options and not _has_callers(2))
            if is_worker and uwsgi.masterpid() not in {0, os.getpid()} and options.isdisjoint(LAZY):
                _start.early.keep()


def worker_begins() -> None:
    """Set up a worker; called in every forked child. Raise nothing."""
    if "uwsgi" in sys.modules:
        watch_end_of_worker(sys.modules["uwsgi"], _start.early)


def inherits_counts() -> bool:
    """Return whether this forked child continues the counts of its parent, which never exports."""
    with suppress(Exception):
        uwsgi: Any = sys.modules["uwsgi"]
        if _start.process == os.getppid() == uwsgi.masterpid() and uwsgi.worker_id() == 1:
            return not uwsgi.workers()[0]["respawn_count"]
    return False


def time_for_exit(seconds: float) -> float:
    """Return how much of the exit time is left to a worker after subtracting its master's share."""
    with suppress(Exception):
        if sys.modules["uwsgi"].masterpid():
            return max(seconds - _MASTER_LOOKS, seconds / 2)
    return seconds


class _Start:
    """The process in which the interpreter has started, while it may be a master in which no thread may run.

    Attributes:
        process: Its id; 0 if there is none.
        waiting: What begins when it turns out that threads may run.
        early: The signals that a worker keeps while it starts.
    """

    def __init__(self) -> None:
        self.process = 0
        self.waiting: list[Callable[[], None]] = []
        self.early = EarlySignals()

    def let_threads_run(self) -> None:
        self.process = 0
        waiting, self.waiting = self.waiting, []
        for begin in waiting:
            begin()


_start = _Start()


class _Finder:
    """Finds no module; being asked for one shows that uWSGI has progressed."""

    def __init__(self, process: int) -> None:
        self._process = process

    def find_spec(self, _name: str, _path: object = None, _target: object = None) -> None:
        if "uwsgi" in sys.modules:
            with suppress(ValueError):
                sys.meta_path.remove(self)
                _found(self._process, has_own_threads=False)


def is_uwsgi() -> bool:
    """Return whether the program that embeds this interpreter is uWSGI, which handles signals itself.

    Or uWSGI is the program that it runs, as a module (pyuwsgi).
    """
    if sys.orig_argv:  # a Python program
        script = "".join(sys.orig_argv[1:2]).rpartition(os.sep)[-1]
        return script in {_MODULE, "uwsgi"} and find_spec(_MODULE) is not None
    try:
        import ctypes  # noqa: PLC0415 - some builds of Python lack it
    except ImportError:
        return False
    return hasattr(ctypes.pythonapi, "uwsgi_respawn_worker")


def _found(process: int, *, has_own_threads: bool) -> None:
    """Begin, now that uWSGI reveals how it runs; raise nothing.

    Args:
        process: The process in which the interpreter, or the application's own exporter, was started.
        has_own_threads: Whether the application created the exporter, whose reader then has a thread.
    """
    with suppress(Exception):
        uwsgi: Any = sys.modules["uwsgi"]
        options = options_set(uwsgi)
        _expect_patches(options)
        # One of gevent's own hooks has to be called before the fork.
        calls_hooks = not options.isdisjoint({CALLS_HOOKS, CALLS_HOOKS_IN_CHILDREN}) or has_green_exports()
        is_here = os.getpid() == process
        if is_here and (CALLS_HOOKS in options or not uwsgi.masterpid()):
            _start.let_threads_run()
        if is_here and not calls_hooks:
            _before_other_hooks(uwsgi, _Worker(process).begins)
        elif not is_here and not calls_hooks:
            _run_fork_hooks()
        if not is_here or not uwsgi.masterpid():
            watch_end_of_worker(uwsgi, _start.early)
        if (is_here or uwsgi.worker_id() == 1) and (
            needed := options_needed(options, uwsgi, has_own_threads=has_own_threads)
        ):
            _logger.warning("Metrics of uWSGI's workers may be late or lost: %s", "; ".join(needed))


def _expect_patches(options: set[str]) -> None:
    if PATCHES in options:  # when its loop begins, which is the last that a worker does to start
        begin_patching()


def _has_callers(depth: int) -> bool:
    """Return whether code of Python's has called who is so many calls above."""
    try:
        sys._getframe(depth + 1)  # noqa: SLF001 - there is no other way to find out
    except ValueError:
        return False
    return True


def _before_other_hooks(uwsgi: Any, act: Callable[[], None]) -> None:
    """Make uWSGI call a function after each fork, before the application's own."""
    # A module of uWSGI's sets the hook: if the application imported it later, it would replace ours. It raises an
    # exception if there is no master.
    with suppress(Exception):
        import_module("uwsgidecorators").postfork_chain.insert(0, act)
        return
    earlier = getattr(uwsgi, "post_fork_hook", None)

    def hook() -> None:
        act()
        if earlier:
            earlier()

    uwsgi.post_fork_hook = hook


class _Worker:
    """A worker, forked or not: without a master the first worker is the original process."""

    def __init__(self, process: int) -> None:
        self._process = process

    def begins(self) -> None:
        """Run the hooks if it was forked."""
        if os.getpid() != self._process:
            self._process = os.getpid()
            with suppress(Exception):
                _run_fork_hooks()


def _run_fork_hooks() -> None:
    """Do what ``os.fork()`` does in a child, as uWSGI itself would."""
    import ctypes  # noqa: PLC0415 - some builds of Python lack it

    _imp.acquire_lock()  # done before a fork, and undone by this:
    ctypes.pythonapi.PyOS_AfterFork_Child()
