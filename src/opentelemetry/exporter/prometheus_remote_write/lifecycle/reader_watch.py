"""Reports what stops the SDK's own readers: a callback that does not return, or that ended their thread.

Our controller watches itself. A reader that is built in code, or by the SDK for a declarative file, does not: it loses
its thread without a word where a callback raises ``SystemExit``.
"""

from __future__ import annotations

import _thread
import os
import sys
from contextlib import suppress
from typing import Any
from weakref import ref

from opentelemetry.sdk.metrics.export import MetricReader

from ..messages.own_logger import OwnLogger
from ..system.flag import Flag
from .collection_watch import INTERVALS, SHORTEST, place_in_application
from .gevent_patches import has_green_threads
from .sdk_internals import HookedReader, interval_of, is_ended, is_ticking, readers_of, thread_of

_logger = OwnLogger(__name__)


class ReaderWatch:
    """Watches the SDK's readers of one exporter, from a thread of its own.

    Args:
        exporter: The exporter; it is not kept alive.
    """

    def __init__(self, exporter: Any) -> None:
        self._exporter = ref(exporter)
        self._process = 0
        self._ended = Flag()
        self._times_asked = -1
        self._held_up = 0
        self._has_logged = False

    def start(self) -> None:
        """Begin to watch in this process, where there is such a reader; raise nothing."""
        if self._process == os.getpid():
            return
        self._process = os.getpid()
        self._ended = Flag()
        if (intervals := [interval_of(reader) or 0.0 for reader in self._readers()]) and not has_green_threads():
            with suppress(RuntimeError, MemoryError):
                _thread.start_new_thread(self._run, (self._ended, max(*intervals, SHORTEST)))

    def stop(self) -> None:
        """Stop watching."""
        self._ended.set()

    def look(self) -> None:
        """Log once what stops a reader."""
        exporter = self._exporter()
        if exporter is None or exporter.times_asked != self._times_asked:
            self._times_asked = exporter.times_asked if exporter else 0
            self._held_up, self._has_logged = 0, False
        readers = self._readers()
        if self._has_logged:
            return
        if any(not is_ticking(reader) and not is_ended(reader) for reader in readers):
            self._has_logged = True
            _logger.warning(
                "No metrics are exported: the thread of the SDK's reader has ended, as it does where an observable "
                "callback of the application raises SystemExit"
            )
            return
        # A reader that has nothing to export does not ask either, so it counts where its thread is.
        place = next(filter(None, map(_place, readers)), "")
        self._held_up = self._held_up + 1 if place else 0
        if self._held_up >= INTERVALS:
            self._has_logged = True
            _logger.warning(
                "No metrics are exported: a collection has not finished for %d intervals, because an observable "
                "callback of the application has not returned%s",
                INTERVALS,
                place,
            )

    def _readers(self) -> list[MetricReader]:
        found = readers_of(self._exporter())
        return [reader for reader in found if interval_of(reader) and not isinstance(reader, HookedReader)]

    def _run(self, ended: Flag, period: float) -> None:
        while not ended.wait(period) and self._exporter() is not None:
            self.look()


def _place(reader: MetricReader) -> str:
    frames = sys._current_frames()  # noqa: SLF001 - documented, private only by name
    return place_in_application(frames.get(getattr(thread_of(reader), "ident", None) or 0))
