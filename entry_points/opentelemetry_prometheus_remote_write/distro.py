"""The distro: unless the environment says otherwise, metrics go out by Remote Write, set up by our configurator."""

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

    Traces and logs are left to their own variables. It subclasses no other distro, because the two would share one
    instance.
    """

    def _configure(self, **_kwargs: Any) -> None:
        for variable in (OTEL_METRICS_EXPORTER, OTEL_PYTHON_CONFIGURATOR):
            if not os.environ.get(variable, "").strip():
                os.environ[variable] = NAME
        getLogger(_LAUNCHER).addFilter(_is_news)


def _is_news(record: LogRecord) -> bool:
    """Drop the launcher's warning that it skipped another configurator in favour of ours.

    The launcher warns about each skipped configurator in every process, also after ours has returned, so the filter
    stays. Only one configurator can ever be used: choosing our distro asked for exactly that.
    """
    return not (record.msg in _PASSED_OVER and isinstance(record.args, tuple) and record.args[1:2] == (NAME,))
