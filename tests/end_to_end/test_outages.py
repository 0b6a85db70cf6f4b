"""Outages and refusals of a real Prometheus."""

import math
import time
import uuid

import pytest
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation
from opentelemetry.sdk.resources import Resource
from urllib3 import request

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.encoding.compression import compressor
from opentelemetry.exporter.prometheus_remote_write.encoding.encoder import HEADERS
from opentelemetry.exporter.prometheus_remote_write.proto import write_v1_pb2


class Shop:
    """An application of a job of its own that exports when it is told to."""

    def __init__(self, url, **settings):
        self.job = f"shop-{uuid.uuid4()}"
        given = {"min_backoff": 60_000, "max_backoff": 60_000, "disable_zero_samples": True}
        self.exporter = PrometheusRemoteWriteMetricsExporter(url, **(given | settings))
        reader = PeriodicExportingMetricReader(self.exporter, export_interval_millis=math.inf)
        resource = Resource({"service.name": self.job, "service.instance.id": "one"})
        self.provider = MeterProvider([reader], resource=resource)
        meter = self.provider.get_meter("shop")
        self.orders = meter.create_counter("orders")
        self.sizes = meter.create_histogram("sizes")

    def flush(self):
        time.sleep(0.005)  # two samples of a series need two milliseconds
        self.provider.force_flush()
        return self.exporter.force_flush()


@pytest.fixture
def open_shop():
    shops = []

    def make(*arguments, **settings):
        shops.append(Shop(*arguments, **settings))
        return shops[-1]

    yield make
    for shop in shops:
        shop.provider.shutdown()


@pytest.mark.parametrize("protocol", ["1.0", "auto"])
def test_all_samples_of_ten_intervals_without_prometheus_are_there_when_it_is_back(
    start_prometheus, open_shop, protocol
):
    prometheus = start_prometheus()
    shop = open_shop(prometheus.write_url, protocol=protocol, max_samples_per_send=10)
    results = []
    for number in range(1, 13):
        if number == 2:
            prometheus.kill()
        if number == 12:
            prometheus.start()
        for kind in range(20):
            shop.orders.add(1, {"kind": kind})
        results.append(shop.flush())
    assert results == [True, *[False] * 10, True]
    found = prometheus.range_vector(f'orders_total{{job="{shop.job}"}}[1h]')
    assert len(found) == 20
    assert all(series.values == list(range(1, 13)) for series in found)


def test_a_prometheus_without_native_histograms_gets_all_the_rest(prometheus_stable, open_shop, caplog):
    shop = open_shop(
        prometheus_stable.write_url, preferred_aggregation={Histogram: ExponentialBucketHistogramAggregation()}
    )
    for _ in range(4):
        shop.orders.add(1)
        shop.sizes.record(3)
        assert not shop.flush()
    (found,) = prometheus_stable.range_vector(f'orders_total{{job="{shop.job}"}}[1h]')
    assert found.values == [1, 2, 3, 4]
    assert shop.exporter._data_path.delivery.backlog.samples == 4
    *_, line = [record.getMessage() for record in caplog.records]
    assert "OTEL_EXPORTER_PRW_DEFAULT_HISTOGRAM_AGGREGATION" in line


def test_a_series_that_another_process_writes_ahead_of_us_costs_no_other(prometheus, open_shop, caplog):
    shop = open_shop(prometheus.write_url, protocol="1.0", disable_scope_labels=True, disable_target_info=True)
    bad = {"__name__": "orders_total", "instance": "one", "job": shop.job, "kind": "7"}
    series = write_v1_pb2.TimeSeries(
        labels=[write_v1_pb2.Label(name=name, value=text) for name, text in bad.items()],
        samples=[write_v1_pb2.Sample(value=1, timestamp=int(time.time() * 1000) + 300_000)],
    )
    body = compressor()([write_v1_pb2.WriteRequest(timeseries=[series]).SerializeToString()])
    assert request("POST", prometheus.write_url, body=body, headers=HEADERS["1.0"]).status == 204

    for number in range(1, 4):
        for kind in range(40):
            shop.orders.add(1, {"kind": kind})
        assert not shop.flush()
        counts = shop.exporter._data_path.delivery.samples
        assert (counts["accepted"], counts["rejected"]) == (39 * number, number)
    found = prometheus.range_vector(f'orders_total{{job="{shop.job}"}}[1h]')
    assert [series.values for series in found if series.labels["kind"] != "7"] == [[1, 2, 3]] * 39
    (line,) = [record.getMessage() for record in caplog.records]
    assert "service.instance.id" in line
    assert "kind='7'" in line
