"""The exporter built in code: one instrument of each kind, pushed every second.

Start `otel-prw receive` first, then this; another write URL can be given as the argument.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from opentelemetry import metrics
from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter

endpoint = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:9009/api/prom/push"

exporter = PrometheusRemoteWriteMetricsExporter(endpoint=endpoint, timeout=30, headers={"X-Scope-OrgID": "5"})
reader = PeriodicExportingMetricReader(exporter, export_interval_millis=1000)
metrics.set_meter_provider(MeterProvider([reader], resource=Resource.create({"service.name": "quickstart"})))
meter = metrics.get_meter("quickstart")


def seats(_: CallbackOptions) -> Iterable[Observation]:
    yield Observation(42, {"room": "main"})


orders = meter.create_counter("orders", description="Orders taken")
waiting = meter.create_up_down_counter("orders.waiting")
duration = meter.create_histogram("order.duration", unit="s", explicit_bucket_boundaries_advisory=[0.1, 0.5, 1])
temperature = meter.create_gauge("oven.temperature", unit="Cel")
meter.create_observable_gauge("seats.free", callbacks=[seats])

for number in range(1, 11):
    orders.add(1, {"table": str(number % 2)})
    waiting.add(1)
    duration.record(number / 10)
    temperature.set(180 + number)
    waiting.add(-1)
    time.sleep(0.2)
