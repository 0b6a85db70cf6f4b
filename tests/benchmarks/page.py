"""A registry of prometheus_client with the work of one export, pushed or written as the page that is scraped."""

from __future__ import annotations

import time

from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.openmetrics.exposition import generate_latest

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.encoding.compression import compressor
from opentelemetry.exporter.prometheus_remote_write.pipeline import Pipeline
from opentelemetry.exporter.prometheus_remote_write.prometheus_client.source import Source
from opentelemetry.exporter.prometheus_remote_write.translation.dropped_points import DroppedPoints
from tests.benchmarks.load import Load

_LABELS = ["method", "route", "status", "tenant", "zone"]
_BUCKETS = [float(bound) for bound in range(1, 16)]
_NOTHING = MetricsData([ResourceMetrics(Resource({"service.name": "shop"}), [], "")])


class Page:
    """The registry.

    Args:
        load: The work of one export.
        protocol: The version of Remote Write.
    """

    def __init__(self, load: list[int], protocol: str) -> None:
        work = Load(*load)
        self._registry = CollectorRegistry()
        sets = [
            [f"{label}-{number % (place * 7 + 3)}-{number}" for place, label in enumerate(_LABELS)]
            for number in range(work.attribute_sets)
        ]
        for number in range(work.counters):
            counter = Counter(f"counter_{number}", "Counts", _LABELS, registry=self._registry)
            for labels in sets:
                counter.labels(*labels).inc()
        for number in range(work.histograms):
            histogram = Histogram(f"histogram_{number}", "Measures", _LABELS, registry=self._registry, buckets=_BUCKETS)
            for labels in sets:
                histogram.labels(*labels).observe(number)
        settings = Settings(endpoint="http://localhost/api/v1/write")
        self._source = Source((self._registry,))
        self._pipeline = Pipeline(settings, DroppedPoints(), compressor(), protocol=protocol, max_samples=2000)

    def push(self) -> float:
        """Collect, translate, encode and compress; return the CPU seconds."""
        began = time.process_time()
        self._pipeline.requests(_NOTHING, self._source.collect(_NOTHING, "", 60.0, last=False))
        self._pipeline.end_export(lost=False)
        return time.process_time() - began

    def write(self) -> float:
        """Write the page; return the CPU seconds."""
        began = time.process_time()
        generate_latest(self._registry)
        return time.process_time() - began

    def collect(self) -> float:
        """Have the library collect alone; return the CPU seconds."""
        began = time.process_time()
        for family in self._registry.collect():
            list(family.samples)
        return time.process_time() - began
