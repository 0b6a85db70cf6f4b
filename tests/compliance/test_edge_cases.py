"""The suite's group "edge cases", in 2.0."""

import math

from opentelemetry.sdk.metrics.export import MetricExportResult

from tests.collected import NOW, collected, gauge, point


def test_empty_scrape(application):
    assert application.push()
    assert application.arrived == []


def test_huge_label_values(application):
    application.meter.create_gauge("test_metric").set(42, {"large_label": "x" * 10_000})
    assert application.push()
    _, labels = application.series("test_metric")
    assert labels["large_label"] == "x" * 10_000


def test_unicode_in_labels(application):
    attributes = {"emoji": "\N{ROCKET}", "chinese": "测试", "arabic": "مرحبا", "vietnamese": "tôi yêu việt nam"}
    application.meter.create_gauge("test_metric").set(42, attributes)
    assert application.push()
    assert application.receiver.values("test_metric", **attributes) == [42]


def test_many_timeseries(application):
    for number in range(100):
        application.meter.create_gauge(f"metric_{number:03}").set(number)
    assert application.push()
    [message] = application.messages
    assert len(message.timeseries) == 100


def test_high_cardinality(application):
    requests = application.meter.create_counter("http_requests")
    for number in range(50):
        requests.add(number, {"path": f"/api/v1/endpoint_{number}", "method": "GET"})
    assert application.push()
    [message] = application.messages
    assert len(message.timeseries) == 50
    assert len(message.symbols) < 50 + 15


def test_very_long_metric_name(application):
    # An instrument's name has 255 characters at most; another producer's may have more.
    name = "metric_" + "very_long_name_" * 50 + "end"
    data = collected(gauge(point(42), name=name))
    assert application.exporter.export(data) is MetricExportResult.SUCCESS
    assert application.receiver.values(name) == [42]


def test_special_float_combinations(application):
    special = {"nan": math.nan, "inf": math.inf, "ninf": -math.inf, "zero": 0.0, "negative": -123.45}
    points = [point(value, {"type": name}) for name, value in special.items()]
    assert application.exporter.export(collected(gauge(*points, name="special"))) is MetricExportResult.SUCCESS
    found = {name: application.receiver.values("special", type=name)[0] for name in special}
    assert math.isnan(found.pop("nan"))
    assert found == {name: value for name, value in special.items() if name != "nan"}


def test_future_timestamp(application):
    # A day ahead is sent as it is; what to make of it is the receiver's to say.
    ahead = NOW + 10 * 365 * 86_400_000
    data = collected(gauge(point(42, at=ahead), name="test_metric"))
    assert application.exporter.export(data) is MetricExportResult.SUCCESS
    assert application.receiver.samples("test_metric")[0].timestamp == ahead


def test_mixed_sample_and_histogram_families(start_application):
    application = start_application(default_histogram_aggregation="base2_exponential_bucket_histogram")
    application.meter.create_counter("requests").add(100)
    application.meter.create_gauge("temperature").set(22.5)
    application.meter.create_histogram("response_time").record(0.5)
    assert application.push()
    assert application.receiver.values("requests_total") == [100]
    assert application.receiver.values("temperature") == [22.5]
    assert application.receiver.series("response_time")[0].histograms[0].count == 1


def test_robustness_under_load(application):
    gauges = [application.meter.create_gauge(f"load_test_metric_{number}") for number in range(200)]
    for _ in range(3):
        for number, each in enumerate(gauges):
            each.set(number, {"label": f"value_{number % 10}"})
        assert application.push()
    assert [len(message.timeseries) for message in application.messages] == [200] * 3
