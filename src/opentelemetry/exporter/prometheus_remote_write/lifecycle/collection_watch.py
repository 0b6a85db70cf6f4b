"""Says what holds up all exports: an observable callback of the application that does not return.

The SDK asks callbacks one after the other, in the thread that exports, and can end none of them.
"""

from __future__ import annotations

import _thread
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from traceback import extract_stack
from types import FrameType

from ..messages.own_logger import OwnLogger
from ..system.flag import Flag

_logger = OwnLogger(__name__)

_INTERVALS = 3
_SHORTEST = 1.0  # seconds between two looks
_NOT_THE_APPLICATIONS = ("opentelemetry/sdk/", "opentelemetry/exporter/prometheus_remote_write/", "/threading.py")


class CollectionWatch:
    """Watches the collections of one reader, from a thread of its own.

    Args:
        interval: Seconds between two collections.
        clock: Seconds that only go up.
    """

    def __init__(self, interval: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._period = max(interval, _SHORTEST)
        self._clock = clock
        self._began: float | None = None
        self._thread = 0
        self._has_said = False
        self._ended = Flag()

    def start(self) -> None:
        """Begin to watch; nothing is raised."""
        self._ended = Flag()
        with suppress(RuntimeError, MemoryError):
            _thread.start_new_thread(self._run, (self._ended,))

    def stop(self) -> None:
        """Watch no more."""
        self._ended.set()

    def begins(self) -> None:
        """Note that this thread collects."""
        self._thread, self._began = threading.get_ident(), self._clock()

    def ends(self) -> None:
        """Note that the collection has ended, well or badly."""
        self._began, self._has_said = None, False

    def look(self) -> None:
        """Say once what a collection waits for, if it takes too long."""
        began = self._began
        if began is None or self._has_said or self._clock() - began < _INTERVALS * self._period:
            return
        self._has_said = True
        _logger.warning(
            "No metrics are exported: a collection has not finished for %d intervals, because an observable callback"
            " of the application has not returned%s",
            _INTERVALS,
            _where(sys._current_frames().get(self._thread)),  # noqa: SLF001 - documented, and private by name alone
        )

    def _run(self, ended: Flag) -> None:
        while not ended.wait(self._period):
            self.look()


def _where(frame: FrameType | None) -> str:
    """Return where the application's code is, as the end of a sentence; nothing where that is not known."""
    for entry in reversed(extract_stack(frame) if frame else ()):
        if not any(part in entry.filename.replace("\\", "/") for part in _NOT_THE_APPLICATIONS):
            return f" ({entry.filename}:{entry.lineno} in {entry.name})"
    return ""
