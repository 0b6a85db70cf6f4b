"""``opentelemetry-exporter-prometheus-remote-write`` 0.66b1, which has our import path."""

from __future__ import annotations

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from tests.benchmarks.exporters import Encode


def encode(name: str) -> Encode:
    """Return what an export does before HTTP."""
    predecessor = exporter(name, "http://127.0.0.1:9")
    return lambda data: [predecessor._build_message(predecessor._translate_data(data))]


def exporter(_name: str, url: str) -> PrometheusRemoteWriteMetricsExporter:
    """Return the exporter."""
    return PrometheusRemoteWriteMetricsExporter(f"{url}/api/v1/write")
