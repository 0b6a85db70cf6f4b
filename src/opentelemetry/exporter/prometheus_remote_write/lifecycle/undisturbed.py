"""Work that neither a signal handler nor a log handler of the application can disturb.

Python runs signal handlers in the main thread, between any two of its instructions, and they may raise, as Ctrl-C does.
What they interrupt would be left half done: a lock taken and not given back, a context entered and not left. So what
the main thread asks for is done in another one, and the main thread only waits. What a signal handler raises ends the
waiting and reaches the application; the work goes on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from ..messages.own_logger import HeldBackRecords, is_within_logging
from ..system.worker import Helper

T = TypeVar("T")


def undisturbed(work: Callable[[], T]) -> T:
    """Do some work, and say what it had to say when it holds no lock any more.

    Args:
        work: Called without arguments.
    """
    do = partial(_unlocked, work, waits=not is_within_logging())
    if threading.current_thread() is threading.main_thread():
        return Helper(do).result()
    return do()


def _unlocked(work: Callable[[], T], *, waits: bool) -> T:
    records = HeldBackRecords()
    try:
        with records.held_back():
            return work()
    finally:
        if waits:
            records.say()
        else:
            records.say(0)
