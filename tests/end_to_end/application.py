"""An application that has real instruments and pushes at times that a test chooses."""

from __future__ import annotations

import time
from dataclasses import replace

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult
from opentelemetry.sdk.resources import Resource

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter

INSTANCE = "instance-1"
HOST = "host-1"
LIFETIME = 60  # seconds that it has run for at its first push


class Application:
    """A service with a job of its own, so that servers can be shared.

    Args:
        url: Where to push to.
        job: Its name.
        instance: Its service.instance.id. Where another process of this machine has the same, it gets a number.
        settings: Keywords of the exporter.
    """

    def __init__(self, url, job, *, instance=INSTANCE, **settings):
        self.job = job
        self.instance = instance
        self.exporter = PrometheusRemoteWriteMetricsExporter(endpoint=url, **settings)
        self.reader = InMemoryMetricReader(
            preferred_temporality=self.exporter._preferred_temporality,
            preferred_aggregation=self.exporter._preferred_aggregation,
        )
        resource = Resource({"service.name": job, "service.instance.id": instance, "host.name": HOST})
        self._provider = MeterProvider([self.reader], resource=resource, shutdown_on_exit=False)
        self.meter = self._provider.get_meter("tests")
        self._started = None

    def push(self, at=None, *, timeout=60):
        """Collects and exports as if it were another time, in seconds; says whether all was accepted in time."""
        return self.export(self.collect(at), timeout=timeout)

    def collect(self, at=None):
        """What the SDK has aggregated, as if it were collected at another time, in seconds."""
        at = time.time() if at is None else at
        if self._started is None:
            self._started = at - LIFETIME
        return moved(self.reader.get_metrics_data(), at, self._started)

    def export(self, data, *, timeout=60):
        """Says whether all was accepted in time."""
        return self.exporter.export(data, timeout_millis=timeout * 1000) is MetricExportResult.SUCCESS

    def close(self):
        self._provider.shutdown()
        self.exporter.shutdown()


def moved(data, at, start):
    """The data with another time and start, both in seconds."""
    times = {"time_unix_nano": int(at * 1000) * 1_000_000, "start_time_unix_nano": int(start * 1000) * 1_000_000}
    return replace(
        data,
        resource_metrics=[
            replace(
                of_resource,
                scope_metrics=[
                    replace(
                        of_scope,
                        metrics=[
                            replace(
                                metric,
                                data=replace(
                                    metric.data,
                                    data_points=[replace(point, **times) for point in metric.data.data_points],
                                ),
                            )
                            for metric in of_scope.metrics
                        ],
                    )
                    for of_scope in of_resource.scope_metrics
                ],
            )
            for of_resource in data.resource_metrics
        ],
    )


def points(data, name):
    """The data points of a metric."""
    return [
        point
        for of_resource in data.resource_metrics
        for of_scope in of_resource.scope_metrics
        for metric in of_scope.metrics
        if metric.name == name
        for point in metric.data.data_points
    ]
