"""Work that neither a signal handler nor a log handler of the application can disturb.

Python runs signal handlers in the main thread, between any two of its instructions, and they may raise, as Ctrl-C does.
Interrupted work would be left half done: a lock never released, a context never left. So another thread does the main
thread's work, and the main thread only waits. An exception from a signal handler ends the wait and reaches the
application; the work continues.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from ..messages.own_logger import HeldBackRecords, is_within_logging
from ..system.worker import BackgroundWork

T = TypeVar("T")


def undisturbed(work: Callable[[], T]) -> T:
    """Do some work, and log what it has to log once it holds no lock.

    Args:
        work: Called without arguments.
    """
    do = partial(_unlocked, work, waits=not is_within_logging())
    if threading.current_thread() is threading.main_thread():
        return BackgroundWork(do).result()
    return do()


def _unlocked(work: Callable[[], T], *, waits: bool) -> T:
    records = HeldBackRecords()
    try:
        with records.held_back():
            return work()
    finally:
        if waits:
            records.emit()
        else:
            records.emit(0)
