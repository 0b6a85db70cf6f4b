"""uWSGI forks its workers without Python's hooks, unless it is told to: here they are run in each worker all the same.

Its module exists only inside it, and only after the interpreter has started, which is when the launcher makes an
exporter. So a finder, which finds nothing, looks for it at the next import: in the master where the application is
loaded before the fork, and in the worker (``--lazy-apps``) where it is loaded after it.
"""

from __future__ import annotations

import _imp
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

from ..messages.own_logger import OwnLogger

_logger = OwnLogger(__name__)

_CALLS_HOOKS = "py-call-uwsgi-fork-hooks"
_CALLS_HOOKS_IN_CHILDREN = "py-call-osafterfork"
_THREADS_BY_DEFAULT = (2, 0, 31)
_RECYCLES = {"max-requests", "max-worker-lifetime", "reload-on-as", "reload-on-rss"}
_MASTER_LOOKS = 1.0  # seconds: so often its master looks for workers that have ended, and leaves itself


def run_hooks_in_workers() -> None:
    """Have Python's fork hooks run in the workers, if this is uWSGI; nothing is raised."""
    if "uwsgi" in sys.modules:
        _found(os.getpid())
    elif not sys.orig_argv:  # no program of Python's, but one that embeds it
        sys.meta_path.insert(0, _Finder())


def time_for_exit(seconds: float) -> float:
    """Return how much of the time at the exit is left to a worker when its master's share is taken off."""
    with suppress(Exception):
        if sys.modules["uwsgi"].masterpid():
            return max(seconds - _MASTER_LOOKS, seconds / 2)
    return seconds


class _Finder:
    """Finds no module, but that it is asked for one tells that uWSGI has gone on."""

    def __init__(self) -> None:
        self._process = os.getpid()

    def find_spec(self, _name: str, _path: object = None, _target: object = None) -> None:
        if "uwsgi" in sys.modules:
            with suppress(ValueError):
                sys.meta_path.remove(self)
                _found(self._process)


def _found(process: int) -> None:
    with suppress(Exception):
        uwsgi: Any = sys.modules["uwsgi"]
        options = {_text(name) for name, value in uwsgi.opt.items() if value is not False}
        calls_hooks = not options.isdisjoint({_CALLS_HOOKS, _CALLS_HOOKS_IN_CHILDREN})
        if not calls_hooks:
            if os.getpid() == process:
                _before_other_hooks(uwsgi, _Worker(process).begins)
            else:
                _run_fork_hooks()
        if (os.getpid() == process or uwsgi.worker_id() == 1) and (needed := _needed(options, uwsgi, calls_hooks)):
            _logger.warning("Metrics of uWSGI's workers may be late or lost: %s", "; ".join(needed))


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _needed(options: set[str], uwsgi: Any, calls_hooks: bool) -> list[str]:  # noqa: FBT001 - one more fact of three
    needed = []
    if not calls_hooks:
        needed.append(f"set {_CALLS_HOOKS}, or {_CALLS_HOOKS_IN_CHILDREN} where uWSGI does not know it")
    if options.isdisjoint({"enable-threads", "T", "threads"}) and uwsgi.version_info[:3] < _THREADS_BY_DEFAULT:
        needed.append("set enable-threads")
    if not options.isdisjoint(_RECYCLES) and options.isdisjoint({"lazy-apps", "lazy"}):
        needed.append("set lazy-apps, for a worker that is forked later from a master with threads may hang")
    needed.extend(f"do not set {name}" for name in ("skip-atexit", "skip-atexit-teardown") if name in options)
    return needed


def _before_other_hooks(uwsgi: Any, act: Callable[[], None]) -> None:
    """Have uWSGI do something after each fork, before what the application wants done there."""
    # A module of uWSGI's own sets the hook: where the application imports it later, it would replace ours. It raises
    # an exception where there is no master.
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
    """One that uWSGI has forked, or not: without a master the first of them is the process that there was."""

    def __init__(self, process: int) -> None:
        self._process = process

    def begins(self) -> None:
        """Run the hooks, if it was forked."""
        if os.getpid() != self._process:
            self._process = os.getpid()
            with suppress(Exception):
                _run_fork_hooks()


def _run_fork_hooks() -> None:
    """Do what ``os.fork()`` does in a child, as uWSGI itself would."""
    import ctypes  # noqa: PLC0415 - some builds of Python are without it

    _imp.acquire_lock()  # which is done before a fork, and undone by this:
    ctypes.pythonapi.PyOS_AfterFork_Child()
