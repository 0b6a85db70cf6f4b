"""OTEL_LOG_LEVEL: shows this package's log lines where the application has not configured logging.

OpenTelemetry's specification names the variable ("General SDK Configuration"); the Python SDK does not read it. Without
it Python prints only warnings and errors to stderr.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping

VARIABLE = "OTEL_LOG_LEVEL"

_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
}
_LOGGERS = ("opentelemetry.exporter.prometheus_remote_write", "opentelemetry_prometheus_remote_write")


class _WhereNobodyListens(logging.StreamHandler):  # type: ignore[type-arg]  # generic only for the type checker
    """Writes to stderr, unless the application has installed a handler, which receives the lines anyway."""

    def emit(self, record: logging.LogRecord) -> None:
        if not logging.getLogger().handlers:
            self.stream = sys.stderr
            super().emit(record)


def show_logs(environ: Mapping[str, str]) -> None:
    """Set the level of our loggers if the environment names one."""
    level = _LEVELS.get(environ.get(VARIABLE, "").strip().lower())
    if level is None:
        return
    handler = _WhereNobodyListens()
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.setLevel(level)
        if not any(isinstance(each, _WhereNobodyListens) for each in logger.handlers):
            logger.addHandler(handler)
