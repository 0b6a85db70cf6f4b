"""Reports what holds up all exports: an observable callback of the application that does not return.

The SDK calls callbacks one after the other, in the thread that exports, and cannot end any of them.
"""

from __future__ import annotations

import _thread
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from traceback import walk_stack
from types import FrameType

from ..messages.own_logger import OwnLogger
from ..system.flag import Flag

_logger = OwnLogger(__name__)

INTERVALS = 3
SHORTEST = 1.0  # seconds between two checks
_NOT_THE_APPLICATIONS = ("opentelemetry/sdk/", "opentelemetry/exporter/prometheus_remote_write/", "/threading.py")


class CollectionWatch:
    """Watches the collections of one reader, from a thread of its own.

    Args:
        interval: Seconds between two collections.
        clock: Monotonic seconds.
    """

    def __init__(self, interval: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._period = max(interval, SHORTEST)
        self._clock = clock
        self._began: float | None = None
        self._thread = 0
        self._has_logged = False
        self._ended = Flag()

    def start(self) -> None:
        """Begin to watch; raise nothing."""
        self._ended = Flag()
        with suppress(RuntimeError, MemoryError):
            _thread.start_new_thread(self._run, (self._ended,))

    def stop(self) -> None:
        """Stop watching."""
        self._ended.set()

    def begins(self) -> None:
        """Note that this thread begins to collect."""
        self._thread, self._began = threading.get_ident(), self._clock()

    def ends(self) -> None:
        """Note that the collection has ended, successfully or not."""
        self._began, self._has_logged = None, False

    def look(self) -> None:
        """Log once what a collection waits for, if it takes too long."""
        began = self._began
        if began is None or self._has_logged or self._clock() - began < INTERVALS * self._period:
            return
        self._has_logged = True
        _logger.warning(
            "No metrics are exported: a collection has not finished for %d intervals, because an observable callback"
            " of the application has not returned%s",
            INTERVALS,
            place_in_application(sys._current_frames().get(self._thread)),  # noqa: SLF001 - documented, private only by name
        )

    def _run(self, ended: Flag) -> None:
        while not ended.wait(self._period):
            self.look()


def place_in_application(frame: FrameType | None) -> str:
    """Return where the application's code is, as the end of a sentence; empty if unknown."""
    # Not by extract_stack, which reads the source files and keeps their lines.
    for each, line in walk_stack(frame) if frame else ():
        code = each.f_code
        if not any(part in code.co_filename.replace("\\", "/") for part in _NOT_THE_APPLICATIONS):
            return f" ({code.co_filename}:{line} in {code.co_name})"
    return ""
