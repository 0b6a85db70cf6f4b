"""An exporter that keeps what it is given, and readers that export by it."""

from __future__ import annotations

import math
import threading

import pytest
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, PeriodicExportingMetricReader

from opentelemetry.exporter.prometheus_remote_write.lifecycle.controller import Controller
from opentelemetry.exporter.prometheus_remote_write.lifecycle.exit_time import ExitTime

HOUR = 3_600_000
LONG = 60  # seconds, which nothing takes unless something is wrong


class Exporter(MetricExporter):
    """Keeps what it is given; may be told to hang."""

    def __init__(self):
        super().__init__()
        self.exit_time = ExitTime(0.2)
        self.exports = []
        self.exported = threading.Event()
        self.may_end = threading.Event()
        self.may_end.set()
        self.cut = []

    def export(self, metrics_data, timeout_millis=10_000, **_keywords):
        self.exports.append((metrics_data, timeout_millis))
        self.exported.set()
        self.may_end.wait()
        return MetricExportResult.SUCCESS

    def set_meter_provider(self, meter_provider):
        """It tells nothing of itself."""

    flushes_before_os_exit = True

    def cut_short(self, seconds):
        self.cut.append(seconds)

    def prepare(self, pause):
        """Has nothing to import."""

    def prepare_for_exit(self):
        """Has nothing to import."""

    def force_flush(self, timeout_millis=10_000):  # noqa: ARG002 - the interface
        return True

    def shutdown(self, timeout_millis=30_000, **_keywords):  # noqa: ARG002 - the interface
        self.may_end.set()

    def values(self):
        """The values of the last export, by metric."""
        return {
            metric.name: [point.value for point in metric.data.data_points]
            for metrics in self.exports[-1][0].resource_metrics
            for scope in metrics.scope_metrics
            for metric in scope.metrics
        }


READERS = [  # without a thread: a fork leaves the parent's behind
    pytest.param(lambda exporter: Controller(exporter, math.inf), id="our controller"),
    pytest.param(lambda exporter: PeriodicExportingMetricReader(exporter, math.inf), id="the SDK's reader"),
]
