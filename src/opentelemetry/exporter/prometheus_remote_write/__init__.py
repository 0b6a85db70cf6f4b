"""Pushes OpenTelemetry metrics to Prometheus-compatible servers by Remote Write."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .exporter import PrometheusRemoteWriteMetricsExporter

__all__ = ["PrometheusRemoteWriteMetricsExporter"]


def __getattr__(name: str) -> object:
    # The launcher imports this package in every process for the names of the variables; only a process that builds the
    # exporter pays for HTTP and protobuf.
    if name == "PrometheusRemoteWriteMetricsExporter":
        from .exporter import (  # noqa: PLC0415 - late, see above
            PrometheusRemoteWriteMetricsExporter,
        )

        return PrometheusRemoteWriteMetricsExporter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
