"""What our own requests must not leave in the application: urllib3's log records, and spans and metrics about them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry.instrumentation.utils import suppress_instrumentation

_silent = ContextVar("within one of our requests", default=False)


def _not_ours(_record: logging.LogRecord) -> bool:
    return not _silent.get()


@contextmanager
def suppressed_telemetry() -> Iterator[None]:
    """Drop urllib3's log records of this context (this thread), and switch its instrumentation off.

    The records would name the whole URL, query included, and hold tracebacks; a failure is told by our own errors.
    """
    # A filter holds only for its own logger, not for those below. It is put back each time because the application may
    # configure logging anew; where it stands already, this does nothing.
    for name in ("connection", "connectionpool", "poolmanager", "response", "util.retry"):
        logging.getLogger(f"urllib3.{name}").addFilter(_not_ours)
    token = _silent.set(True)
    try:
        with suppress_instrumentation():
            yield
    finally:
        _silent.reset(token)


def suppress_logs(*packages: str) -> None:
    """Have whatever these packages log within :func:`suppressed_telemetry` dropped.

    Args:
        packages: Names of packages that have been imported.
    """
    for name, logger in tuple(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger) and name.partition(".")[0] in packages:
            logger.addFilter(_not_ours)
