"""Exports before a fork, in the child, and in the parent again."""

import os
import sys

from opentelemetry.sdk.metrics.export import MetricExportResult

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from tests.collected import NOW, collected, gauge, point

exporter = PrometheusRemoteWriteMetricsExporter(endpoint=sys.argv[1])


def export(value):
    data = collected(gauge(point(value, at=NOW + value)))
    if exporter.export(data) is not MetricExportResult.SUCCESS:
        sys.exit(f"export {value} failed")


export(1)
child = os.fork()
if child == 0:
    export(2)
    sys.exit()
_, status = os.waitpid(child, 0)
export(3)
sys.exit(os.waitstatus_to_exitcode(status))
