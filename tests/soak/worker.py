"""An application of the chaos: it counts, exports a few times a second, and says on stdout what each export told.

python -m tests.soak.worker URL FOLDER NUMBER LIFE. A worker's number is its instance, in every one of its lives.
"""

from __future__ import annotations

import json
import logging
import random
import signal
import sys
import threading
import time

from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExportResult
from opentelemetry.sdk.resources import Resource

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.delivery.disk_buffer.buffer_folder import BufferFolder
from opentelemetry.exporter.prometheus_remote_write.lifecycle.controller import Controller
from opentelemetry.exporter.prometheus_remote_write.lifecycle.instance_id import writer

STREAMS = 20
INTERVAL = 500  # milliseconds
LIFE = 1_000_000  # more than a worker counts in one


class Journaled(PrometheusRemoteWriteMetricsExporter):
    """Says of each export what it told, once it has returned.

    Attributes:
        told: What the collection before it has told.
    """

    told = 0

    def export(self, metrics_data, timeout_millis=10_000, **keywords):
        told, before = self.told, dict(counted)
        accepted = super().export(metrics_data, timeout_millis, **keywords) is MetricExportResult.SUCCESS
        say(told=told, counted=before, accepted=accepted, writer=BufferFolder.hash_of(writer(metrics_data)))
        return MetricExportResult.SUCCESS if accepted else MetricExportResult.FAILURE


counted = dict.fromkeys(map(str, range(STREAMS)), 0)


def say(**words):
    print(json.dumps({"at": time.time(), **words}), flush=True)


class Log(logging.Handler):
    def emit(self, record):
        say(log=record.getMessage())


def main(url, folder, number, life):
    logging.getLogger("opentelemetry.exporter.prometheus_remote_write").addHandler(Log())
    exporter = Journaled(
        url,
        buffer_directory=folder,
        headers={"X-Worker": f"{number}-{life}"},
        interval=INTERVAL,
        max_backoff=500,
    )
    reader = Controller(exporter, INTERVAL)
    resource = Resource({"service.name": "chaos", "service.instance.id": f"worker-{number}"})
    provider = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
    meter = provider.get_meter("chaos")

    def progress(_options):
        exporter.told = max(exporter.told, LIFE * int(life)) + 1
        return [Observation(exporter.told)]

    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    meter.create_observable_gauge("chaos.progress", [progress])
    ticks = meter.create_counter("chaos.ticks")
    while not ended.wait(0.01):
        stream = str(random.randrange(STREAMS))
        ticks.add(1, {"stream": stream})
        counted[stream] += 1
    provider.shutdown()
    say(ended=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
