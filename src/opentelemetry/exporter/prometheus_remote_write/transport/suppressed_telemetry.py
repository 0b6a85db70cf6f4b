"""Suppressing the telemetry of our own requests: urllib3's log records, and spans and metrics about them."""

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
    """Drop urllib3's log records in this context (this thread), and suppress its instrumentation.

    The records would contain the whole URL, including its query, and tracebacks; our own errors report failures.
    """
    # A filter applies only to its own logger, not to child loggers. It is added each time because the application may
    # reconfigure logging; adding it twice does nothing.
    for name in ("connection", "connectionpool", "poolmanager", "response", "util.retry"):
        logging.getLogger(f"urllib3.{name}").addFilter(_not_ours)
    token = _silent.set(True)
    try:
        with suppress_instrumentation():
            yield
    finally:
        _silent.reset(token)


def suppress_logs(*packages: str) -> None:
    """Make :func:`suppressed_telemetry` drop these packages' log records, too.

    Args:
        packages: Names of imported packages.
    """
    for name, logger in tuple(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger) and name.partition(".")[0] in packages:
            logger.addFilter(_not_ours)
