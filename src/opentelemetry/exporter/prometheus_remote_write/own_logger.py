"""A logger that an application's logging configuration does not silence by accident, and that raises nothing.

``logging.config.dictConfig`` and ``fileConfig`` disable every logger that is there already and that they do not name,
unless they are told otherwise. The exporter is there before the application. Levels, handlers, filters and
``logging.disable`` hold as ever: those are said on purpose.
"""

from __future__ import annotations

import logging
from contextlib import suppress


class OwnLogger:
    """Logs by the standard library's logger of a name.

    Args:
        name: The module's.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def debug(self, message: str, *arguments: object) -> None:
        """Log what helps who looks for a fault."""
        self._log(logging.DEBUG, message, arguments)

    def info(self, message: str, *arguments: object) -> None:
        """Log what is as it should be."""
        self._log(logging.INFO, message, arguments)

    def warning(self, message: str, *arguments: object) -> None:
        """Log what somebody should look at."""
        self._log(logging.WARNING, message, arguments)

    def error(self, message: str, *arguments: object) -> None:
        """Log why something is not done that was asked for."""
        self._log(logging.ERROR, message, arguments)

    def log(self, level: int, message: str, *arguments: object) -> None:
        """Log at any level."""
        self._log(level, message, arguments)

    def _log(self, level: int, message: str, arguments: tuple[object, ...]) -> None:
        logger = logging.getLogger(self._name)
        logger.disabled = False
        with suppress(Exception):  # of a handler of the application's
            logger.log(level, message, *arguments, stacklevel=3)
