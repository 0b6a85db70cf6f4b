"""The start of uWSGI's workers: signals that arrive before a worker handles them are kept, and raised again later.

uWSGI sets a worker's handlers last, after everything else that follows the fork. Until then SIGINT, with which its
master ends all workers, reaches Python's or the master's own handler, and neither does anything in a worker: it keeps
serving, and the master waits for the whole ``worker-reload-mercy``, a minute.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from ..system.descriptor import Descriptor
from .signal_watch import handler_of, has_threads, register, set_handler, unregister

_NUMBERS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class EarlySignals:
    """Keeps the signals that reach a worker before it handles them."""

    def __init__(self) -> None:
        self._pipes: dict[int, tuple[Descriptor, Descriptor]] = {}

    def keep(self) -> None:
        """Begin; called in a forked child, before uWSGI has set its handlers. Raise nothing."""
        if register is None or not has_threads():
            return
        for number in _NUMBERS:
            with suppress(OSError, RuntimeError):
                reading, writing = os.pipe()
                os.set_blocking(reading, False)
                os.set_blocking(writing, False)
                self._pipes[number] = Descriptor(reading), Descriptor(writing)
                register(number, file=writing, all_threads=False)

    def release(self) -> list[int]:
        """Leave the signals to the handlers that were set meanwhile; return those that arrived."""
        pipes, self._pipes = self._pipes, {}
        handlers = {number: handler_of(number) for number in pipes}
        for number, handler in handlers.items():
            unregister(number)  # this restores the previous handlers
            set_handler(number, handler)
        return [number for number, pipe in pipes.items() if _close(*pipe)]


def _close(reading: Descriptor, writing: Descriptor) -> bool:
    """Close a pipe; return whether anything was written to it."""
    has_come = False
    if reading.is_ours():
        with suppress(OSError):
            has_come = bool(os.read(reading.number, 1))
    reading.close()
    writing.close()
    return has_come
