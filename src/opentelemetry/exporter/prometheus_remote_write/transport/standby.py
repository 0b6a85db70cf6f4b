"""A thread that is there before it is needed: from Python 3.12 on none can be started at the interpreter's exit.

What may hang there, as the system's resolver may, would otherwise hang in the thread that exports, and the SDK's reader
waits half a minute for that one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread

NEEDED = sys.version_info >= (3, 12)


class Standby:
    """Does one thing after the other in a thread of its own."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._process = 0

    def start(self) -> None:
        """Starts the thread, unless this process has it; a forked child has none. Nothing is raised."""
        if self._process == os.getpid():
            return
        self._tasks = SimpleQueue()
        with suppress(RuntimeError):  # as many threads as there may be
            Thread(target=_work, args=(self._tasks,), name="prometheus-remote-write-standby", daemon=True).start()
            self._process = os.getpid()

    def do(self, task: Callable[[], None]) -> None:
        """Has something done in the thread; where there is none, does it at once.

        Args:
            task: Raises nothing.
        """
        if self._process == os.getpid():
            self._tasks.put(task)
        else:
            task()


def _work(tasks: SimpleQueue[Callable[[], None]]) -> None:
    while True:
        tasks.get()()


STANDBY = Standby()
"""The process's."""
