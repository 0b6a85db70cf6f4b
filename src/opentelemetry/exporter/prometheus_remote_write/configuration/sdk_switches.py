"""Switches of the SDK that also apply to this exporter."""

from __future__ import annotations

from collections.abc import Mapping

SELF_METRICS = "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"
"""Enables metrics about the exporter."""


def wants_self_metrics(environ: Mapping[str, str]) -> bool:
    """Return whether metrics about the exporter are enabled."""
    return environ.get(SELF_METRICS, "").strip().lower() == "true"
