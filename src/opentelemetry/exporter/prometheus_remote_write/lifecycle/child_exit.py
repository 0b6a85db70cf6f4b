"""The last interval of children that leave without the interpreter's exit, and so without the SDK's.

The children of ``multiprocessing`` end by ``os._exit`` after their finalizers, which run in the very child that
registers them after the fork; the pool workers of celery tell by a signal of celery's that they end. Neither is
imported here: only where the application has done so, there can be such children. ``os_exit`` sees the others leave.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from typing import Any

from .ending import Pusher, flush

_LAST = -1000  # the priority of our finalizer: after those of queues and of the application
_UID = "opentelemetry-exporter-prometheus-remote-write"


def flush_at_end_of_child(exporter: Pusher, *, anew: bool) -> None:
    """Have the end of this process flush, if it is a child that skips the interpreter's exit; nothing is raised.

    To be called in a forked child, by an ``os.register_at_fork`` handler.

    Args:
        exporter: Whose readers are flushed.
        anew: Whether it has not been called in a parent of this process, either.
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
