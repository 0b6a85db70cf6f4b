"""The suite's group "histograms", in 2.0: classic ones and native ones."""

import pytest
from opentelemetry.sdk.metrics.export import HistogramDataPoint, MetricExportResult

from tests import collected

FORMS = {
    "classic": {},
    "native": {"default_histogram_aggregation": "base2_exponential_bucket_histogram"},
    "custom buckets": {"convert_histograms_to_nhcb": True},
}


@pytest.fixture(params=FORMS)
def form(request):
    return request.param


@pytest.fixture
def pushed(start_application, form):
    """pushed(*values): the application, after a histogram of them has arrived."""

    def push(*values):
        application = start_application(**FORMS[form])
        histogram = application.meter.create_histogram("test_histogram", explicit_bucket_boundaries_advisory=[1, 5])
        for value in values:
            histogram.record(value)
        assert application.push()
        return application

    return push


def native(application):
    series, _ = application.series("test_histogram")
    [histogram] = series.histograms
    return histogram


def count_and_sum(application, form):
    if form != "classic":
        return native(application).count_int, native(application).sum
    (count, _), (sum_, _) = (application.series(f"test_histogram_{part}") for part in ("count", "sum"))
    return count.samples[0].value, sum_.samples[0].value


def test_histogram_data_present(pushed, form):
    application = pushed(0.5, 3, 10)
    if form == "classic":
        [buckets, count, sum_] = [
            application.receiver.series(f"test_histogram_{part}") for part in ("bucket", "count", "sum")
        ]
        assert {series.label("le"): series.samples[0].value for series in buckets} == {"1": 1, "5": 2, "+Inf": 3}
        assert (len(count), len(sum_)) == (1, 1)
    else:
        assert application.receiver.series("test_histogram")[0].histograms


def test_histogram_count_present(pushed, form):
    assert count_and_sum(pushed(0.5, 3, 10), form)[0] == 3


def test_histogram_sum_present(pushed, form):
    assert count_and_sum(pushed(0.5, 3, 10), form)[1] == 13.5


def test_histogram_timestamp(pushed):
    [message] = pushed(1).messages
    samples = [sample for series in message.timeseries for sample in (*series.samples, *series.histograms)]
    assert all(10**12 < sample.timestamp < 10**16 for sample in samples)


def test_histogram_no_mixed_with_samples(pushed):
    [message] = pushed(1).messages
    assert all(bool(series.samples) != bool(series.histograms) for series in message.timeseries)


def test_histogram_empty_buckets(start_application, form):
    # An SDK's instrument has no data before its first measurement; another producer's may.
    application = start_application(**FORMS[form])
    point = collected.histogram_point((0, 0, 0), (1.0, 5.0), sum=0.0)
    if form == "native":
        point = collected.exponential_point((), sum=0.0)
    make = collected.histogram if isinstance(point, HistogramDataPoint) else collected.exponential_histogram
    data = collected.collected(make(point, name="test_histogram"))
    assert application.exporter.export(data) is MetricExportResult.SUCCESS
    assert count_and_sum(application, form) == (0, 0)


def test_histogram_large_counts(start_application, form):
    application = start_application(**FORMS[form])
    point = collected.histogram_point((10**9, 0, 10**9), (1.0, 5.0), sum=1e10)
    if form == "native":
        point = collected.exponential_point((10**9, 10**9), sum=1e10)
    make = collected.histogram if isinstance(point, HistogramDataPoint) else collected.exponential_histogram
    data = collected.collected(make(point, name="test_histogram"))
    assert application.exporter.export(data) is MetricExportResult.SUCCESS
    assert count_and_sum(application, form) == (2 * 10**9, 1e10)


def test_histogram_buckets_ordered(start_application):
    application = start_application()
    application.meter.create_histogram("test", explicit_bucket_boundaries_advisory=[0.1, 0.5, 1, 5]).record(0.3)
    assert application.push()
    bounds = [series.label("le") for series in application.receiver.series("test_bucket")]
    assert bounds == ["0.1", "0.5", "1", "5", "+Inf"]


@pytest.mark.parametrize("form", ["native"], indirect=True)
def test_histogram_schema(pushed):
    assert -4 <= native(pushed(1, 1000)).schema <= 8


@pytest.mark.parametrize("form", ["custom buckets"], indirect=True)
def test_histogram_schema_of_custom_buckets(pushed):
    histogram = native(pushed(0.5, 3, 10))
    assert histogram.schema == -53
    assert list(histogram.custom_values) == [1, 5]


@pytest.mark.parametrize("form", ["native"], indirect=True)
def test_histogram_positive_buckets(pushed):
    histogram = native(pushed(1, 2, 4))
    assert sum(span.length for span in histogram.positive_spans) == len(histogram.positive_deltas) > 0


@pytest.mark.parametrize("form", ["native"], indirect=True)
def test_histogram_negative_buckets(start_application, form):
    # A histogram of the SDK takes no negative values; another producer's may have them.
    application = start_application(**FORMS[form])
    point = collected.exponential_point((), negative=collected.Buckets(0, (1, 2)), count=3, sum=-5.0)
    data = collected.collected(collected.exponential_histogram(point, name="test_histogram"))
    assert application.exporter.export(data) is MetricExportResult.SUCCESS
    histogram = native(application)
    assert list(histogram.negative_deltas) == [1, 1]
    assert not histogram.positive_spans


@pytest.mark.parametrize("form", ["native"], indirect=True)
def test_histogram_zero_bucket(pushed):
    histogram = native(pushed(0, 0, 1))
    assert histogram.zero_count_int == 2
    assert histogram.zero_threshold >= 0
