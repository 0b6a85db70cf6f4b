"""The suite's group "timestamps", in 2.0."""

from itertools import pairwise

import pytest

from tests.compliance.application import milliseconds

NATIVE = {"default_histogram_aggregation": "base2_exponential_bucket_histogram"}


@pytest.fixture
def application(start_application):
    """A counter, a gauge, and a native histogram, pushed three times."""
    application = start_application(**NATIVE)
    counter = application.meter.create_counter("test_counter")
    histogram = application.meter.create_histogram("test_histogram")
    for number in range(3):
        counter.add(1)
        histogram.record(number)
        application.meter.create_gauge("test_gauge").set(number)
        assert application.push()
    return application


def samples(application, name):
    [series] = application.receiver.series(name)
    return series.samples + series.histograms


def all_samples(application):
    return [
        sample
        for name in ("test_counter_total", "test_gauge", "test_histogram")
        for sample in samples(application, name)
    ]


def test_timestamp_int64_milliseconds(application):
    assert len(all_samples(application)) == 9
    assert all(10**12 < sample.timestamp < 10**16 for sample in all_samples(application))


@pytest.mark.parametrize("name", ["test_counter_total", "test_gauge", "test_histogram"])
def test_timestamp_ordering_within_series(application, name):
    times = [sample.timestamp for sample in samples(application, name)]
    assert len(times) == 3
    assert all(before < after for before, after in pairwise(times))


@pytest.mark.parametrize("name", ["test_counter_total", "test_histogram"])
def test_start_timestamp_for_cumulative_series(application, name):
    starts = {sample.start_timestamp for sample in samples(application, name)}
    assert len(starts) == 1
    assert all(start > 10**12 for start in starts)


def test_start_timestamp_zero_means_unset(application):
    assert {sample.start_timestamp for sample in samples(application, "test_gauge")} == {0}


def test_start_timestamp_before_sample_timestamp(application):
    assert all(sample.start_timestamp <= sample.timestamp for sample in all_samples(application))


def test_timestamp_not_far_future(application):
    assert all(sample.timestamp < milliseconds() + 300_000 for sample in all_samples(application))
