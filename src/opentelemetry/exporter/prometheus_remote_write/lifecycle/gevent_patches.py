"""What gevent and eventlet have patched in the standard library, and what they have yet to patch.

They replace classes of the standard library with their own. A module that was imported earlier keeps the old ones:
urllib3's TLS contexts then recurse endlessly. So urllib3 must be imported after the patches, for the application's
sake. Neither library is imported here: only an application that has imported one can be patched.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

PATCHING_WORKERS = ("gunicorn.workers.ggevent", "gunicorn.workers.geventlet")
"""Modules of the process that forks workers; each worker patches when it starts."""

_PATCHING_TAKES = 10.0  # seconds at most; the patching may have been abandoned silently


def has_green_threads() -> bool:
    """Return whether one of the libraries is imported."""
    return "gevent" in sys.modules or "eventlet" in sys.modules


def has_green_exports() -> bool:
    """Return whether exports run in a greenlet, which lives on in a forked child."""
    return _has_patched("threading") or _has_patched("thread")


def begin_patching() -> None:
    """Note that patching is about to begin."""
    _patching.until = time.monotonic() + _PATCHING_TAKES


def end_patching(after_fork: Callable[[], None]) -> None:
    """Note that patching is done.

    Args:
        after_fork: Called in each forked child from now on, after gevent's own handler.
    """
    _patching.until = 0.0
    if not _patching.has_ended:
        _patching.has_ended = True
        os.register_at_fork(after_in_child=after_fork)


def is_patching() -> bool:
    """Return whether patching is in progress."""
    return time.monotonic() < _patching.until


def starts_threads_after_forks() -> bool:
    """Return whether a forked child's thread has to wait until gevent has handled the fork."""
    return _patching.has_ended


class _Patching:
    def __init__(self) -> None:
        self.until = 0.0  # by the monotonic clock
        self.has_ended = False


_patching = _Patching()


def waits_for_workers() -> bool:
    """Return whether this process only forks workers that patch for themselves."""
    return not _has_patched("socket") and any(module in sys.modules for module in PATCHING_WORKERS)


def are_half_applied() -> bool:
    """Return whether gevent has patched sockets, but not all of TLS."""
    if not _has_patched("socket") or "ssl" not in sys.modules:
        return False
    context: object = sys.modules["ssl"].SSLContext
    return any(
        getattr(sys.modules[name], "SSLContext", context) is not context
        for name in ("urllib3.util.ssl_", "urllib3.util")
        if name in sys.modules
    ) or ("gevent.monkey" in sys.modules and not _has_patched("ssl"))


def _has_patched(module: str) -> bool:
    with suppress(Exception):
        gevent: Any = sys.modules.get("gevent.monkey")
        if gevent and gevent.is_module_patched(module):
            return True
        eventlet: Any = sys.modules.get("eventlet.patcher")
        if eventlet and eventlet.is_monkey_patched(module):
            return True
    return False
