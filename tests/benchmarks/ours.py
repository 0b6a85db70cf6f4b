"""Our exporter; all that the benchmark knows of its inside."""

from __future__ import annotations

import time

from opentelemetry.sdk.metrics.export import MetricsData

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.beginnings import Beginnings
from opentelemetry.exporter.prometheus_remote_write.encoding.compression import compressor
from opentelemetry.exporter.prometheus_remote_write.encoding.encoder import Encoder
from opentelemetry.exporter.prometheus_remote_write.refusals import Refusals
from opentelemetry.exporter.prometheus_remote_write.translation import Translator
from tests.benchmarks.exporters import Encode


def encode(protocol: str) -> Encode:
    """Return what an export does before delivery."""
    settings = exporter(protocol, "http://127.0.0.1:9").settings
    beginnings = Beginnings(time.time_ns())
    translator = Translator(settings, Refusals(), beginnings=beginnings)
    encoder = Encoder(protocol, settings.max_samples_per_send, compressor())

    def bodies(data: MetricsData) -> list[bytes]:
        encoded = [request.body for request in encoder.encode(translator.translate(data))]
        beginnings.end_export()
        return encoded

    return bodies


def exporter(protocol: str, url: str) -> PrometheusRemoteWriteMetricsExporter:
    """Return the exporter."""
    return PrometheusRemoteWriteMetricsExporter(f"{url}/api/v1/write", protocol=protocol)
