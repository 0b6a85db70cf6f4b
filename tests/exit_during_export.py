"""An application that ends while its metrics cannot be delivered; it ends when a line arrives on its standard input."""

import sys

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter

endpoint, interval = sys.argv[1:]
exporter = PrometheusRemoteWriteMetricsExporter(endpoint=endpoint, timeout=3600, shutdown_timeout=2000)
exporter.prepare(lambda _seconds: False)  # what the first export imports: here the time is for sending
provider = MeterProvider([PeriodicExportingMetricReader(exporter, export_interval_millis=int(interval))])
provider.get_meter("tests").create_counter("hits").add(1)
sys.stdin.readline()
print("end of the application", flush=True)
