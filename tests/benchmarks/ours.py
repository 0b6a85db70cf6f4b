"""Our exporter; all that the benchmark knows of its inside."""

from __future__ import annotations

from opentelemetry.sdk.metrics.export import MetricsData

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.encoding.compression import compressor
from opentelemetry.exporter.prometheus_remote_write.pipeline import Pipeline
from opentelemetry.exporter.prometheus_remote_write.translation.dropped_points import DroppedPoints
from tests.benchmarks.exporters import Encode


def encode(protocol: str) -> Encode:
    """Return what an export does before delivery."""
    settings = exporter(protocol, "http://127.0.0.1:9").settings
    pipeline = Pipeline(
        settings, DroppedPoints(), compressor(), protocol=protocol, max_samples=settings.max_samples_per_send
    )

    def bodies(data: MetricsData) -> list[bytes]:
        encoded = [request.body for request in pipeline.requests(data)]
        pipeline.end_export(lost=False)
        return encoded

    return bodies


def exporter(protocol: str, url: str) -> PrometheusRemoteWriteMetricsExporter:
    """Return the exporter."""
    return PrometheusRemoteWriteMetricsExporter(f"{url}/api/v1/write", protocol=protocol)
