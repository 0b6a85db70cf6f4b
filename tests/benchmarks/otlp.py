"""``opentelemetry-exporter-otlp-proto-http``, with gzip."""

from __future__ import annotations

import gzip

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

from tests.benchmarks.exporters import Encode


def encode(_name: str) -> Encode:
    """Return what an export does before HTTP; the level of gzip is the exporter's, 9."""
    return lambda data: [gzip.compress(encode_metrics(data).SerializeToString())]


def exporter(_name: str, url: str) -> OTLPMetricExporter:
    """Return the exporter."""
    return OTLPMetricExporter(f"{url}/v1/metrics", compression=Compression.Gzip)
