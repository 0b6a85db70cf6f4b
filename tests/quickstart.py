"""The Quickstart as it has always been written, but that the proxy listens on another port."""

import sys

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

from opentelemetry import metrics
from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter

proxy = f"http://localhost:{sys.argv[1]}"
exporter = PrometheusRemoteWriteMetricsExporter(
    endpoint="http://localhost:9009/api/prom/push",
    timeout=30,
    basic_auth={"username": "user", "password": "pass123"},
    headers={"X-Scope-Org-ID": "5"},
    proxies={"http": proxy, "https": proxy},
    tls_config={"cert_file": "path", "key_file": "path", "ca_file": "path", "insecure_skip_verify": True},
)
metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(exporter, export_interval_millis=5000)]))

metrics.get_meter("tests").create_counter("hits").add(1)
