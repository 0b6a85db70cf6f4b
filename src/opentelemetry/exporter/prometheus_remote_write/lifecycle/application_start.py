"""Whether the application is still starting, in which time nothing is imported for it.

Under the launcher we are there before the application. What it does at its start may depend on what has been imported
before: gevent has to patch first, a file in its folder may have the name of a module that only we need.
"""

from __future__ import annotations

import sys
import time

# By name: what gevent puts in its place tells greenlets apart.
from _thread import get_ident
from collections.abc import Callable
from types import FrameType

_QUIET = 1.0  # seconds without an import, after which it has started
_AT_MOST = 10.0  # seconds; some import as they go
_LOOK = 0.05  # seconds between two looks

_IMPORTS = "<frozen importlib._bootstrap>"


class ApplicationStart:
    """The start of a process, from now on.

    Args:
        clock: Seconds, by any beginning.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = self._quiet_since = clock()

    def wait(self, pause: Callable[[float], bool]) -> bool:
        """Wait until it is over.

        Args:
            pause: Waits for so many seconds, and returns whether to give up.

        Returns:
            Whether it is over.
        """
        while not self._is_over():
            if pause(_LOOK):
                return False
        return True

    def _is_over(self) -> bool:
        now = self._clock()
        if others_import():
            self._quiet_since = now
        return now - self._quiet_since >= _QUIET or now - self._began >= _AT_MOST


def others_import() -> bool:
    """Return whether another thread is in the middle of an import."""
    own = get_ident()
    return any(_imports(frame) for ident, frame in sys._current_frames().items() if ident != own)  # noqa: SLF001 - documented


def _imports(frame: FrameType | None) -> bool:
    while frame:
        if frame.f_code.co_filename == _IMPORTS:
            return True
        frame = frame.f_back
    return False
