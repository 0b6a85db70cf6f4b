"""The suite's group "samples", in 2.0."""

import math

import pytest
from opentelemetry.sdk.metrics.export import MetricExportResult

from tests.collected import collected, gauge, point
from tests.compliance.application import milliseconds


@pytest.fixture
def pushed(application):
    """pushed(value): the one sample that it becomes."""

    def push(value):
        if math.isfinite(value):
            application.meter.create_gauge("test_metric").set(value)
            assert application.push()
        else:  # instruments of the SDK take no such value; another producer may have one
            data = collected(gauge(point(value), name="test_metric"))
            assert application.exporter.export(data) is MetricExportResult.SUCCESS
        series, _ = application.series("test_metric")
        [sample] = series.samples
        return sample

    return push


def test_float_value(pushed):
    assert pushed(3.14159).value == 3.14159


def test_integer_value(pushed):
    assert pushed(42).value == 42.0


def test_zero_value(pushed):
    assert pushed(0).value == 0.0


def test_negative_value(pushed):
    assert pushed(-273.15).value == -273.15


def test_positive_infinity(pushed):
    assert pushed(math.inf).value == math.inf


def test_negative_infinity(pushed):
    assert pushed(-math.inf).value == -math.inf


def test_nan_value(pushed):
    assert math.isnan(pushed(math.nan).value)


def test_largest_value(pushed):
    assert pushed(1.7976931348623157e308).value == 1.7976931348623157e308


def test_smallest_value(pushed):
    assert pushed(5e-324).value == 5e-324


def test_scientific_notation(pushed):
    assert pushed(1.23e-10).value == 1.23e-10


def test_high_precision_float(pushed):
    assert pushed(0.123456789012345678).value == 0.123456789012345678


def test_timestamp_milliseconds(pushed):
    assert 10**12 < pushed(1).timestamp < 10**16


def test_timestamp_recent(pushed):
    assert abs(pushed(1).timestamp - milliseconds()) < 300_000


def test_multiple_samples(application):
    gauge = application.meter.create_gauge("test_metric")
    for value in (1, 2, 3):
        gauge.set(value)
        assert application.push()
    assert application.receiver.values("test_metric") == [1, 2, 3]


def test_sample_ordering(application):
    counter = application.meter.create_counter("test_counter")
    for _ in range(5):
        counter.add(1)
        assert application.push()
    samples = application.receiver.samples("test_counter_total")
    assert [sample.value for sample in samples] == [1, 2, 3, 4, 5]
    times = [sample.timestamp for sample in samples]
    assert times == sorted(set(times))


def test_job_instance_labels_present(application):
    application.meter.create_gauge("test_metric").set(1)
    assert application.push()
    _, labels = application.series("test_metric")
    assert (labels["job"], labels["instance"]) == ("shop", "pod-1")


def test_start_timestamp_for_counters(application):
    before = milliseconds()
    application.meter.create_counter("test_counter").add(101.13)
    assert application.push()
    series, _ = application.series("test_counter_total")
    assert before <= series.samples[0].start_timestamp <= series.samples[0].timestamp


def test_start_timestamp_for_histograms(application):
    before = milliseconds()
    application.meter.create_histogram("test_histogram").record(250.0)
    assert application.push()
    series, _ = application.series("test_histogram_count")
    assert before <= series.samples[0].start_timestamp <= series.samples[0].timestamp
