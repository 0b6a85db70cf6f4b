"""Switches of the SDK's own that hold for this exporter, too."""

from __future__ import annotations

from collections.abc import Mapping

SELF_METRICS = "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"
"""Switches metrics about the exporter on."""


def wants_self_metrics(environ: Mapping[str, str]) -> bool:
    """Return whether metrics about the exporter are wanted."""
    return environ.get(SELF_METRICS, "").strip().lower() == "true"
