"""Exports in a process and in its forked child, each of which then says what its exporter has counted of itself.

Arguments: the endpoint, then the exporter's settings as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from tests.collected import DELTA, collected, counter, gauge, point

JOB = "counted"
SERIES = 40
EXPORTS = 7
POINTS = SERIES + 2
MORE = 40  # exports at most until nothing waits

endpoint, settings = sys.argv[1], json.loads(sys.argv[2])
exporter = PrometheusRemoteWriteMetricsExporter(
    endpoint,
    disable_zero_samples=True,
    disable_target_info=True,
    disable_scope_labels=True,
    min_backoff=60_000,  # one attempt an export: what is away is away for so many exports
    max_backoff=60_000,
    **settings,
)
reader = InMemoryMetricReader()
provider = MeterProvider([reader], shutdown_on_exit=False)
exporter.set_meter_provider(provider)
began = int(time.time() * 1000) - 600_000


def export(metrics: list) -> None:
    resource = {"service.name": JOB, "service.instance.id": str(os.getpid())}
    exporter.export(collected(*metrics, resource=resource), timeout_millis=30_000)


def points(number: int) -> list:
    at = began + number * 1000
    return [
        gauge(*(point(number, {"n": str(n)}, at=at) for n in range(SERIES)), name="level"),
        gauge(point(number, at=began - number * 1000), name="late"),  # each before the one before it
        counter(point(number, at=at), name="deltas", temporality=DELTA),
    ]


def told() -> dict[str, dict[str, int]]:
    """Self-metrics by name, and by reason where they have one."""
    found: dict[str, dict[str, int]] = {}
    for scope in reader.get_metrics_data().resource_metrics[0].scope_metrics:
        for metric in scope.metrics:
            if metric.name.startswith("otel.sdk.exporter.metric_data_point"):
                for each in metric.data.data_points:
                    found.setdefault(metric.name, {})[each.attributes.get("error.type", "")] = each.value
    return found


def exports(first: int) -> int:
    for number in range(first, first + EXPORTS):
        export(points(number))
    more = 0
    while any(told()["otel.sdk.exporter.metric_data_point.inflight"].values()) and more < MORE:
        more += 1
        export([])
    return EXPORTS * POINTS


exported = exports(1)
child = os.fork()
if child == 0:
    exported = exports(1 + EXPORTS)
else:
    _, status = os.waitpid(child, 0)
    exported += exports(1 + EXPORTS)
print(json.dumps({"exported": exported, **told()}), flush=True)
exporter.shutdown()
sys.stdout.flush()
os._exit(0) if child == 0 else sys.exit(os.waitstatus_to_exitcode(status))
