"""How a series begins and ends, as a real Prometheus sees it."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation
from opentelemetry.sdk.resources import Resource

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter

NATIVE = {"preferred_aggregation": {Histogram: ExponentialBucketHistogramAggregation()}}


class Application:
    """A service that lives for a moment: it begins now, counts, and pushes once."""

    def __init__(self, prometheus, job, **settings):
        self.exporter = PrometheusRemoteWriteMetricsExporter(endpoint=prometheus.write_url, **settings)
        self._reader = InMemoryMetricReader(preferred_aggregation=self.exporter._preferred_aggregation)
        resource = Resource({"service.name": job, "service.instance.id": job, "host.name": "h1"})
        self._provider = MeterProvider([self._reader], resource, shutdown_on_exit=False)
        self.meter = self._provider.get_meter("tests")
        self.pushed = 0.0

    def push(self):
        """Collect and export; notes the time of the samples, in seconds."""
        data = self._reader.get_metrics_data()
        [scope] = data.resource_metrics[0].scope_metrics
        self.pushed = scope.metrics[0].data.data_points[0].time_unix_nano // 1_000_000 / 1000
        assert self.exporter.export(data).name == "SUCCESS"

    def shut_down(self):
        self.exporter.shutdown()


@pytest.fixture
def application(prometheus, request):
    """Starts the application, with the test's name for its job."""
    with ExitStack() as stack:

        def start(**settings):
            started = Application(prometheus, request.node.name, **settings)
            stack.callback(started.shut_down)
            return started

        yield start


def job(request):
    return f'job="{request.node.name}"'


SWITCHED = pytest.mark.parametrize(
    "settings", [{}, {"disable_zero_samples": True}], ids=["with a zero sample", "without it"]
)


@SWITCHED
@pytest.mark.parametrize("protocol", ["auto", "1.0"])
def test_what_a_counter_counted_before_its_only_push_is_an_increase(
    prometheus, application, request, settings, protocol
):
    each = application(protocol=protocol, **settings)
    each.meter.create_counter("orders").add(42)
    each.push()
    assert prometheus.value(f"orders_total{{{job(request)}}}", each.pushed) == 42
    found = prometheus.query(f"increase(orders_total{{{job(request)}}}[5m])", each.pushed)
    assert [sample.value for sample in found] == ([] if settings else [pytest.approx(42, rel=0.01)])


def test_what_a_counter_counts_first_is_seen_among_its_later_increases(prometheus, application, request):
    each = application()
    orders = each.meter.create_counter("orders")
    orders.add(40)
    each.push()
    orders.add(2)
    each.push()
    found = prometheus.range_vector(f"orders_total{{{job(request)}}}[5m]", each.pushed)
    assert [series.values for series in found] == [[0, 40, 42]]
    assert prometheus.value(f"increase(orders_total{{{job(request)}}}[5m])", each.pushed) == pytest.approx(42, rel=0.01)


@SWITCHED
def test_the_first_values_of_a_classic_histogram_are_an_increase_of_all_its_series(
    prometheus, application, request, settings
):
    each = application(histogram_boundaries=(1, 10), **settings)
    latency = each.meter.create_histogram("latency", unit="s")
    for value in (0.5, 5, 50, 0.5):
        latency.record(value)
    each.push()

    def increase(series):
        return prometheus.query(f"increase(latency_seconds_{series}[5m])".replace("JOB", job(request)), each.pushed)

    expected = {"bucket{JOB,le=~'1|1.0'}": 2, "bucket{JOB,le='+Inf'}": 4, "count{JOB}": 4, "sum{JOB}": 56}
    for series, value in expected.items():
        found = [sample.value for sample in increase(series)]
        assert found == ([] if settings else [pytest.approx(value, rel=0.01)]), series


@SWITCHED
@pytest.mark.parametrize("prometheus", ["current"], indirect=True)
def test_the_first_values_of_a_native_histogram_are_an_increase(prometheus, application, request, settings):
    each = application(**NATIVE, **settings)
    latency = each.meter.create_histogram("latency", unit="s")
    for value in (0.5, 5, 50, 0.5):
        latency.record(value)
    each.push()
    increase = f"increase(latency_seconds{{{job(request)}}}[5m])"
    for function, value in {"histogram_count": 4, "histogram_sum": 56}.items():
        found = [sample.value for sample in prometheus.query(f"{function}({increase})", each.pushed)]
        # Of a histogram Prometheus extrapolates to half an interval before the first sample, whatever it holds.
        assert [value <= each <= 1.5 * value for each in found] == ([] if settings else [True])


@pytest.mark.parametrize("settings", [{}, NATIVE], ids=["classic", "native"])
def test_an_application_that_has_ended_is_no_longer_found(prometheus, application, request, settings):
    if settings and prometheus.version.startswith("2."):
        settings = {}  # it takes no native histograms
    selector = f"{{{job(request)}}}"
    each = application(stale_markers=True, **settings)
    each.meter.create_counter("orders").add(42)
    each.meter.create_histogram("latency").record(5)
    each.push()
    names = {sample.labels["__name__"] for sample in prometheus.query(selector, time.time())}
    assert {"target_info", "orders_total"} < names
    each.shut_down()
    assert prometheus.query(selector, time.time()) == []
    assert prometheus.query(selector, each.pushed)


def test_without_stale_markers_it_is_found_for_a_while(prometheus, application, request):
    each = application()
    each.meter.create_counter("orders").add(42)
    each.push()
    each.shut_down()
    assert prometheus.value(f"orders_total{{{job(request)}}}", time.time()) == 42
