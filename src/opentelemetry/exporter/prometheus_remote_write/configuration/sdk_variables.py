"""Variables of the SDK that also apply to this exporter."""

from __future__ import annotations

from collections.abc import Mapping

SELF_METRICS = "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"
"""Enables metrics about the exporter."""

INTERVAL = "OTEL_METRIC_EXPORT_INTERVAL"
"""Milliseconds between two exports of every reader."""

_DEFAULT_INTERVAL = 60_000.0  # milliseconds; the specification's


def wants_self_metrics(environ: Mapping[str, str]) -> bool:
    """Return whether metrics about the exporter are enabled."""
    return environ.get(SELF_METRICS, "").strip().lower() == "true"


def common_interval(environ: Mapping[str, str]) -> float:
    """Return the milliseconds between two exports of every reader; the default if what is set is not positive."""
    try:
        interval = float(environ.get(INTERVAL, ""))
    except ValueError:
        return _DEFAULT_INTERVAL
    return interval if interval > 0 else _DEFAULT_INTERVAL
