"""Collections of two threads at the same time are exported in the order in which they were made."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult, MetricsData

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.lifecycle.controller import Controller
from opentelemetry.exporter.prometheus_remote_write.lifecycle.overtaking import collection_began
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.collected import NOW, collected, counter, nanoseconds, point
from tests.lifecycle.pushing import HOUR


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


def test_a_collection_that_a_later_one_has_overtaken_is_not_sent(receiver, caplog):
    exporter = PrometheusRemoteWriteMetricsExporter(receiver.url, disable_zero_samples=True)
    controller, other = Controller(exporter, HOUR, random=lambda: 1.0), InMemoryMetricReader()
    provider = MeterProvider([controller, other], shutdown_on_exit=False)
    orders = provider.get_meter("shop").create_counter("orders")
    orders.add(1)
    earlier = other.get_metrics_data()
    orders.add(1)
    provider.force_flush()
    assert exporter.export(earlier) is MetricExportResult.SUCCESS
    provider.shutdown()
    assert receiver.values("orders_total") == [2, 2]
    assert receiver.rejected == []
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("now", "began"),
    [
        pytest.param(3.0, 97.0, id="three seconds ago"),
        pytest.param(-3600.0, 100.0, id="the clock was set back"),
        pytest.param(3600.0, 100.0, id="the clock was set forward"),
    ],
)
def test_when_a_collection_began_is_told_by_its_points(now, began):
    data = collected(counter(point(1.0, {}, at=NOW)))
    clock = nanoseconds(NOW) / 1e9 + now
    assert collection_began(data, lambda: clock, lambda: 100.0) == pytest.approx(began)


@pytest.mark.parametrize("data", [MetricsData(None), MetricsData([]), MetricsData(["a"]), None])
def test_what_cannot_be_read_was_collected_just_now(data):
    assert collection_began(data, lambda: 5.0, lambda: 100.0) == 100.0
