"""What gevent and eventlet have patched of the standard library, and what they are still to patch.

They put their own classes in the place of the standard library's. A module that was imported before has the old ones:
urllib3's TLS contexts then call themselves without end. So what imports urllib3 has to come after the patches, in the
application's interest. Neither library is imported here: only where the application has done so, there are patches.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

PATCHING_WORKERS = ("gunicorn.workers.ggevent", "gunicorn.workers.geventlet")
"""Loaded in the process that forks workers, each of which patches when it begins."""


def has_green_threads() -> bool:
    """Return whether one of the libraries is there."""
    return "gevent" in sys.modules or "eventlet" in sys.modules


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
