"""How the dashboards write metrics and labels: in OpenTelemetry's words, which the settings in force turn into names.

`<<counter http.requests {request} {job=~"$job"}>>` is a series, `<<label http.route>>` a label in PromQL, and
`<<legend http.route>>` the same in a panel's legend.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A metric of an application.

    Args:
        kind: counter, up_down_counter, gauge or histogram.
        name: The instrument's name.
        unit: The instrument's unit.
    """

    kind: str
    name: str
    unit: str

    def where(self, *matchers: str, suffix: str = "") -> str:
        """Return a selector of its series, of the dashboard's jobs and instances."""
        chosen = ",".join(['job=~"$job"', 'instance=~"$instance"', *matchers])
        return f"<<{self.kind} {self.name} {self.unit} {suffix}{{{chosen}}}>>"

    def rate(self, *matchers: str, suffix: str = "") -> str:
        """Return its rate a second, over as long as the panel's resolution asks for."""
        return f"rate({self.where(*matchers, suffix=suffix)}[$__rate_interval])"


def label(name: str) -> str:
    """Return an attribute's label, in PromQL."""
    return f"<<label {name}>>"


def legend(*names: str) -> str:
    """Return the legend of series that differ in attributes."""
    return " ".join(f"{{{{<<legend {name}>>}}}}" for name in names)


REQUEST_DURATION = Metric("histogram", "http.server.request.duration", "s")
ACTIVE_REQUESTS = Metric("up_down_counter", "http.server.active_requests", "{request}")
CPU_TIME = Metric("counter", "process.cpu.time", "s")
MEMORY = Metric("up_down_counter", "process.memory.usage", "By")
VIRTUAL_MEMORY = Metric("up_down_counter", "process.memory.virtual", "By")
THREADS = Metric("up_down_counter", "process.thread.count", "{thread}")
FILES = Metric("up_down_counter", "process.open_file_descriptor.count", "{count}")
SWITCHES = Metric("counter", "process.context_switches", "{count}")
DISK_IO = Metric("counter", "process.disk.io", "By")
COLLECTIONS = Metric("counter", "cpython.gc.collections", "{collection}")

POINTS = Metric("counter", "otel.sdk.exporter.metric_data_point.exported", "{data_point}")
OPERATION = Metric("histogram", "otel.sdk.exporter.operation.duration", "s")
SENT = Metric("counter", "prometheus_remote_write.exporter.sent", "By")
REQUESTS = Metric("counter", "prometheus_remote_write.exporter.requests", "{request}")
RETRIES = Metric("counter", "prometheus_remote_write.exporter.retries", "{request}")
WAITING_BYTES = Metric("gauge", "prometheus_remote_write.exporter.backlog.size", "By")
WAITING_SECONDS = Metric("gauge", "prometheus_remote_write.exporter.backlog.age", "s")
SERIES = Metric("gauge", "prometheus_remote_write.exporter.series.count", "{series}")
SERIES_LIMIT = Metric("gauge", "prometheus_remote_write.exporter.series.limit", "{series}")
SERIES_DROPPED = Metric("counter", "prometheus_remote_write.exporter.series.dropped", "{data_point}")
RENEWAL_FAILURES = Metric("counter", "prometheus_remote_write.exporter.renewal_failures", "{failure}")
PROTOCOL = Metric("gauge", "prometheus_remote_write.exporter.protocol", "{version}")
LAST_SUCCESS = Metric("gauge", "prometheus_remote_write.exporter.last_success.timestamp", "s")
