"""A logger that an application's logging configuration does not silence by accident, and that disturbs nothing.

``logging.config.dictConfig`` and ``fileConfig`` disable every existing logger that they do not name, unless configured
otherwise, and the exporter's loggers exist before the application starts. Levels, handlers, filters and
``logging.disable`` apply as usual, because those are set on purpose.

Handlers are the application's: one may flush metrics, raise (``SystemExit`` included), or wait for a thread. So during
an export, which holds locks, lines are held back until its end, and then logged in a thread of their own: no exception
of a handler escapes, but one that a signal handler raises meanwhile does. Nothing waits long for that thread, because
it may need a lock that the waiting thread holds.
"""

from __future__ import annotations

import _thread
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from ..system.worker import BackgroundWork

_TO_EMIT = 2.0  # seconds: the longest that an export waits for its lines to be logged


class OwnLogger:
    """Logs by the standard library's logger of some name.

    Args:
        name: The module's name.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def debug(self, message: str, *arguments: object) -> None:
        """Log details for debugging."""
        self._log(logging.DEBUG, message, arguments)

    def info(self, message: str, *arguments: object) -> None:
        """Log normal operation."""
        self._log(logging.INFO, message, arguments)

    def warning(self, message: str, *arguments: object) -> None:
        """Log something that needs attention."""
        self._log(logging.WARNING, message, arguments)

    def error(self, message: str, *arguments: object) -> None:
        """Log why something requested is not done."""
        self._log(logging.ERROR, message, arguments)

    def log(self, level: int, message: str, *arguments: object) -> None:
        """Log at any level."""
        self._log(level, message, arguments)

    def log_at_once(self, level: int, message: str, *arguments: object) -> None:
        """Log at any level without waiting, even during an export: in a thread of its own."""
        line = _Line(self._name, level, message, arguments)
        with suppress(RuntimeError, MemoryError):  # no more threads are possible; the export's own lines follow
            _thread.start_new_thread(line.emit, ())  # looked up now: gevent may have patched it

    def is_enabled_for(self, level: int) -> bool:
        """Return whether a level is enabled, for messages that are costly to build; raise nothing."""
        try:
            return logging.getLogger(self._name).isEnabledFor(level)
        except Exception:  # noqa: BLE001 - the logger's class may be the application's
            return False

    def _log(self, level: int, message: str, arguments: tuple[object, ...]) -> None:
        line = _Line(self._name, level, message, arguments)
        if records := _held_back.get():
            records.lines.append(line)
        else:
            # In the main thread a signal handler may have raised, which is the application's business.
            is_main = threading.current_thread() is threading.main_thread()
            line.emit(Exception if is_main else BaseException)


class _Line:
    __slots__ = ("arguments", "level", "message", "name")

    def __init__(self, name: str, level: int, message: str, arguments: tuple[object, ...]) -> None:
        self.name = name
        self.level = level
        self.message = message
        self.arguments = arguments

    def emit(self, of_handlers: type[BaseException] = BaseException) -> None:
        with suppress(of_handlers):
            logger = logging.getLogger(self.name)
            logger.disabled = False
            logger.log(self.level, self.message, *self.arguments, stacklevel=4)


class HeldBackRecords:
    """Lines that are held back until the end of an export."""

    def __init__(self) -> None:
        self.lines: list[_Line] = []

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Hold back lines logged inside, in this context and its copies."""
        token = _held_back.set(self)
        try:
            yield
        finally:
            _held_back.reset(token)

    def emit(self, seconds: float = _TO_EMIT) -> None:
        """Log what was held back; raise nothing.

        Args:
            seconds: How long to wait for that, at most.
        """
        if self.lines:
            BackgroundWork(self._emit).wait(seconds)

    def _emit(self) -> None:
        for line in self.lines:
            line.emit()


def is_within_logging() -> bool:
    """Return whether a log handler called this thread, which then holds that handler's lock."""
    frame = sys._getframe()  # noqa: SLF001 - documented, private only by name
    while above := frame.f_back:
        if above.f_globals.get("__name__") == logging.__name__:
            return True
        frame = above
    return False


_held_back: ContextVar[HeldBackRecords | None] = ContextVar("lines that are held back", default=None)
