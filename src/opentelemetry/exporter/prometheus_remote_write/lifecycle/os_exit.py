"""``os._exit`` ends a process at once, without the interpreter's exit: what was counted is exported before.

Forks leave so: RQ's for a job, those of ``socketserver``, of Airflow's task runners, of whoever does what the manual of
``os.fork`` says; and programs that detach themselves.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import Any

from .ending import flush, flushes_here, pushers

_A_TIMESTAMP_LATER = 0.002  # seconds: those of samples are milliseconds, and one can have only one value

_leave = os._exit
_flushes = False


def flush_before_os_exit() -> None:
    """Have this process, and those that it forks, flush before they leave by ``os._exit``; nothing is raised."""
    global _flushes, _leave
    if not _flushes:
        _flushes, _leave = True, os._exit
        os._exit = _flush_and_leave  # type: ignore[assignment]


def _flush_and_leave(*arguments: Any, **named: Any) -> None:
    """Export what was counted, within the time of the exit; one that has counted nothing leaves at once."""
    with suppress(BaseException):  # also what a signal handler of the application's raises: it wants to leave
        # A flush that was interrupted in this thread cannot be waited for.
        if not flushes_here():
            for pusher in pushers():
                if pusher.flushes_before_os_exit:
                    time.sleep(_A_TIMESTAMP_LATER)  # the application may have flushed just now
                    flush(pusher)
    _leave(*arguments, **named)
