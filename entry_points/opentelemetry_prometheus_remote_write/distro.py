"""The distro: where nobody has said anything else, metrics go out by Remote Write, and our configurator sees to it."""

from __future__ import annotations

import os
from logging import LogRecord, getLogger
from typing import Any

from opentelemetry.environment_variables import OTEL_METRICS_EXPORTER
from opentelemetry.instrumentation.distro import BaseDistro  # type: ignore[attr-defined]  # mypy skips that module
from opentelemetry.instrumentation.environment_variables import OTEL_PYTHON_CONFIGURATOR

from opentelemetry_prometheus_remote_write import NAME

_LAUNCHER = "opentelemetry.instrumentation.auto_instrumentation._load"
_PASSED_OVER = (
    "Configuration of %s not loaded, %s already loaded",
    "Configuration of %s not loaded because %s is set by %s",
)


class PrometheusRemoteWriteDistro(BaseDistro):  # type: ignore[misc]  # see its import
    """Chooses the exporter and the configurator of this package, each unless the environment names another.

    Traces and logs are left to their own variables. It is no subclass of another distro, whose instance it would share.
    """

    def _configure(self, **_kwargs: Any) -> None:
        for variable in (OTEL_METRICS_EXPORTER, OTEL_PYTHON_CONFIGURATOR):
            if not os.environ.get(variable, "").strip():
                os.environ[variable] = NAME
        getLogger(_LAUNCHER).addFilter(_is_news)


def _is_news(record: LogRecord) -> bool:
    """Whether the launcher says something else than that it passed over a configurator because it was to use ours.

    It warns of each one in every process, and of those that it finds later only after ours has returned, so the filter
    stays. Only one configurator can ever be used: with our distro chosen, that is what was asked for.
    """
    return not (record.msg in _PASSED_OVER and isinstance(record.args, tuple) and record.args[1:2] == (NAME,))
