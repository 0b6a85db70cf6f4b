"""An application under the suite's eyes: its instruments, the real exporter, and a receiver that keeps what it gets."""

from __future__ import annotations

import math
import time

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.proto import write_v1_pb2, write_v2_pb2
from opentelemetry.exporter.prometheus_remote_write.receiver.decompression import decompress

TRACE_ID, SPAN_ID = 0xABC123, 0xDEF456
MESSAGES = {"1.0": write_v1_pb2.WriteRequest, "2.0": write_v2_pb2.Request}


class Application:
    """Instruments whose values are pushed when the test says so.

    Attributes:
        receiver: What it pushes to, strict; None where the test gave an endpoint.
        meter: Makes instruments.
    """

    def __init__(self, receiver, endpoint, views, settings):
        self.receiver = receiver
        # In 1.0 metadata has a request of its own: one at a time, it always comes after the series. The suite counts
        # the samples of what it has measured, so they come without the zero before the first.
        given = {
            "disable_scope_labels": True,
            "disable_zero_samples": True,
            "protocol": "2.0",
            "max_concurrent_requests": 1,
            **settings,
        }
        self.exporter = PrometheusRemoteWriteMetricsExporter(endpoint=endpoint, **given)
        reader = PeriodicExportingMetricReader(self.exporter, export_interval_millis=math.inf)
        resource = Resource({"service.name": "shop", "service.instance.id": "pod-1"})
        self._provider = MeterProvider([reader], resource=resource, views=views, shutdown_on_exit=False)
        self.meter = self._provider.get_meter("tests")
        self._pushed_at = 0

    def push(self):
        """Collect and export; returns whether the receiver accepted all."""
        while milliseconds() == self._pushed_at:  # the receiver takes one sample of a series in a millisecond
            pass
        self._provider.force_flush(timeout_millis=60_000)  # a busy machine takes its time
        self._pushed_at = milliseconds()
        return self.exporter.force_flush()

    def shutdown(self):
        self._provider.shutdown()

    @property
    def arrived(self):
        """Every request, whatever was answered."""
        return self.receiver.received + self.receiver.rejected

    @property
    def messages(self):
        """The accepted requests with series, as protobuf decodes them."""
        decoded = [
            MESSAGES[request.protocol].FromString(decompress(request.body, limit=1 << 25))
            for request in self.receiver.received
        ]
        return [message for message in decoded if message.timeseries]

    def series(self, name):
        """The message of the one series of a name, and its labels; of the newest request that has it."""
        for message in reversed(self.messages):
            found = [(each, labels) for each, labels in labelled(message) if labels["__name__"] == name]
            if found:
                [only] = found
                return only
        raise LookupError(name)

    def metadata(self, name):
        """Type, help and unit of the family of a series."""
        [series] = self.receiver.series(name)
        return series.metadata


def milliseconds():
    return time.time_ns() // 1_000_000


def labelled(message):
    """The series of a request of 2.0, each with its labels."""
    for series in message.timeseries:
        strings = [message.symbols[reference] for reference in series.labels_refs]
        yield series, dict(zip(strings[::2], strings[1::2], strict=True))
