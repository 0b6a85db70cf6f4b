"""What gevent and eventlet have patched of the standard library, and what they are still to patch.

They put their own classes in the place of the standard library's. A module that was imported before has the old ones:
urllib3's TLS contexts then call themselves without end. So what imports urllib3 has to come after the patches, in the
application's interest. Neither library is imported here: only where the application has done so, there are patches.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

PATCHING_WORKERS = ("gunicorn.workers.ggevent", "gunicorn.workers.geventlet")
"""Loaded in the process that forks workers, each of which patches when it begins."""

_PATCHING_TAKES = 10.0  # seconds at most; others may have it given up without a word


def has_green_threads() -> bool:
    """Return whether one of the libraries is there."""
    return "gevent" in sys.modules or "eventlet" in sys.modules


def has_green_exports() -> bool:
    """Return whether what exports is a greenlet, which lives on in a forked child."""
    return _has_patched("threading") or _has_patched("thread")


def begin_patching() -> None:
    """Note that the patches are about to be made."""
    _patching.until = time.monotonic() + _PATCHING_TAKES


def end_patching(after_fork: Callable[[], None]) -> None:
    """Note that the patches are made.

    Args:
        after_fork: Called in each forked child from now on, after what gevent does there.
    """
    _patching.until = 0.0
    if not _patching.has_ended:
        _patching.has_ended = True
        os.register_at_fork(after_in_child=after_fork)


def is_patching() -> bool:
    """Return whether the patches are being made."""
    return time.monotonic() < _patching.until


def starts_threads_after_forks() -> bool:
    """Return whether a thread of a forked child is to start when gevent has dealt with the fork."""
    return _patching.has_ended


class _Patching:
    def __init__(self) -> None:
        self.until = 0.0  # by the monotonic clock
        self.has_ended = False


_patching = _Patching()


def waits_for_workers() -> bool:
    """Return whether this process only forks workers that will patch for themselves."""
    return not _has_patched("socket") and any(module in sys.modules for module in PATCHING_WORKERS)


def are_half_applied() -> bool:
    """Return whether gevent has patched sockets, but not all that TLS consists of."""
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
