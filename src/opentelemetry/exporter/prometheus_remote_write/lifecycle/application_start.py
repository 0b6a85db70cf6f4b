"""Detects when the application has started; until then we import nothing.

Under the launcher we start before the application. Its start may depend on what has been imported earlier: gevent has
to patch first, and a file in its folder may have the name of a module that only we need.
"""

from __future__ import annotations

import sys
import time

# By name: gevent's replacement would distinguish greenlets.
from _thread import get_ident
from collections.abc import Callable
from types import FrameType

_QUIET = 1.0  # seconds without an import after which it has started
_AT_MOST = 10.0  # seconds; some applications never stop importing
_LOOK = 0.05  # seconds between two checks

_IMPORTS = "<frozen importlib._bootstrap>"


class ApplicationStart:
    """The start of the application, from now on.

    Args:
        clock: Seconds since any moment.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = self._quiet_since = clock()

    def wait(self, pause: Callable[[float], bool]) -> bool:
        """Wait until the application has started.

        Args:
            pause: Waits for some seconds, and returns whether to give up.

        Returns:
            Whether it has started.
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
