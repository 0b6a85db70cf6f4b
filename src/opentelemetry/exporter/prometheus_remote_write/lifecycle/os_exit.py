"""``os._exit`` ends a process at once, without the interpreter's exit: its last counts are exported first.

Forked children end this way (RQ's job processes, ``socketserver``, Airflow's task runners, and any that follow the
manual of ``os.fork``), and so do programs that detach themselves.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from .ending import flush, flushes_here, pushers

_leave = os._exit
_flushes = False


def flush_before_os_exit() -> None:
    """Make this process and its forked children flush before they end by ``os._exit``; raise nothing."""
    global _flushes, _leave
    if not _flushes:
        _flushes, _leave = True, os._exit
        os._exit = _flush_and_leave  # type: ignore[assignment]  # it returns, where typing says that it never does


def _flush_and_leave(*arguments: Any, **named: Any) -> None:
    """Export the last counts within the exit time; a process that has counted nothing ends at once."""
    with suppress(BaseException):  # also what a signal handler of the application raises: the process wants to end
        # A flush that was interrupted in this thread cannot be waited for.
        if not flushes_here():
            for pusher in pushers():
                if pusher.flushes_before_os_exit:
                    flush(pusher)
    _leave(*arguments, **named)
