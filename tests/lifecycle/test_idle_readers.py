"""An exporter that tells of more than OpenTelemetry's metrics, under the SDK's own reader."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, Gauge

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def provide():
    """provide(exporter): a provider with a reader of the SDK's, shut down after the test."""
    providers = []

    def start(exporter):
        reader = PeriodicExportingMetricReader(exporter)
        provider = MeterProvider([reader], resource=Resource({"service.name": "import"}), shutdown_on_exit=False)
        providers.append(provider)
        return provider

    yield start
    for provider in providers:
        provider.shutdown()


@pytest.fixture
def registry():
    registry = CollectorRegistry()
    Gauge("level", "Level", registry=registry).set(5)
    return registry


def test_where_nothing_else_was_measured_a_registry_is_pushed(receiver, provide, registry):
    exporter = PrometheusRemoteWriteMetricsExporter(endpoint=receiver.url, prometheus_client=registry)
    provider = provide(exporter)
    provider.force_flush()
    assert receiver.values("level") == [5]
    provider.shutdown()
    assert receiver.values("level") == [5, 5]


def test_where_something_was_measured_both_are_pushed_once(receiver, provide, registry):
    exporter = PrometheusRemoteWriteMetricsExporter(endpoint=receiver.url, prometheus_client=registry)
    provider = provide(exporter)
    provider.get_meter("tests").create_counter("orders").add(1)
    provider.force_flush()
    assert receiver.values("level") == [5]
    assert exporter.times_asked == 1


def test_another_exporter_is_asked_as_ever(receiver, provide, registry):
    PrometheusRemoteWriteMetricsExporter(endpoint=receiver.url, prometheus_client=registry).shutdown()
    plain = PrometheusRemoteWriteMetricsExporter(endpoint=receiver.url)
    provide(plain).force_flush()
    assert plain.times_asked == 0
    in_memory = InMemoryMetricReader()
    MeterProvider([in_memory], shutdown_on_exit=False).shutdown()
    assert in_memory.get_metrics_data() is None
