"""The last interval of children that end without the interpreter's exit, and so without the SDK's.

The children of ``multiprocessing`` end by ``os._exit`` after their finalizers, which run in the child that registers
them after the fork; the pool workers of celery announce their end by a celery signal. Neither library is imported here:
only an application that has imported one can have such children. ``os_exit`` handles all others.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from typing import Any

from .ending import Pusher, flush

_LAST = -1000  # the priority of our finalizer: after those of queues and the application
_UID = "opentelemetry-exporter-prometheus-remote-write"


def flush_at_end_of_child(exporter: Pusher, *, anew: bool) -> None:
    """Make this process flush at its end if it is a child that skips the interpreter's exit; raise nothing.

    Called in a forked child, by an ``os.register_at_fork`` handler.

    Args:
        exporter: Whose readers are flushed.
        anew: Whether no parent of this process has called it, either.
    """
    if anew:
        for name in ("multiprocessing.util", "billiard.util"):
            if util := sys.modules.get(name):
                # A finalizer that is registered now is swept away; what is registered here runs when that is done, in
                # this child and those of it.
                with suppress(Exception):
                    util.register_after_fork(exporter, partial(_finalize, util))
    if signals := sys.modules.get("celery.signals"):
        with suppress(Exception):
            signals.worker_process_shutdown.connect(
                partial(_celery_child_ends, exporter), weak=False, dispatch_uid=(_UID, id(exporter))
            )


def _finalize(util: Any, exporter: Pusher) -> None:
    util.Finalize(None, flush, args=(exporter,), exitpriority=_LAST)


def _celery_child_ends(exporter: Pusher, **_said: Any) -> None:
    flush(exporter)
