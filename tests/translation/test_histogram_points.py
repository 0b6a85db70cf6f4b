import math

import pytest
from opentelemetry.sdk.metrics.export import Buckets

from opentelemetry.exporter.prometheus_remote_write.model.remote_write import Exemplar, MetricType, Span
from opentelemetry.exporter.prometheus_remote_write.translation.histogram_points import HistogramPoints
from opentelemetry.exporter.prometheus_remote_write.translation.native_points import (
    CustomBucketPoints,
    exponential_points,
)
from tests.collected import NOW, START, exemplar, exponential_point, histogram_point
from tests.descriptors import described
from tests.family_samples import read, values


@pytest.fixture
def refused():
    return []


@pytest.fixture
def descriptor(refused):
    return described(refused.append)


@pytest.fixture
def classic(descriptor):
    return HistogramPoints(descriptor)


@pytest.fixture
def native(descriptor):
    return exponential_points(descriptor)


@pytest.fixture
def custom(descriptor):
    return CustomBucketPoints(descriptor)


def reasons(refused):
    return [error.reason for error in refused]


# --- classic ---


def test_a_histogram_becomes_cumulative_buckets_a_sum_and_a_count(classic):
    [family_samples] = classic.translate([histogram_point((3, 0, 2), (0.0, 2.5), {"at": "a"}, sum=7.5)])
    assert values([family_samples]) == {
        "latency_bucket{at=a,le=0}": 3,
        "latency_bucket{at=a,le=2.5}": 3,
        "latency_bucket{at=a,le=+Inf}": 5,
        "latency_sum{at=a}": 7.5,
        "latency_count{at=a}": 5,
    }
    first = read([family_samples])[0]
    assert (first.timestamp, first.start) == (NOW, START)
    assert (first.metadata.family, first.metadata.type) == ("latency", MetricType.HISTOGRAM)


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        pytest.param(histogram_point((4,), ()), {"+Inf": 4}, id="no bounds"),
        pytest.param(histogram_point((), (), count=4), {"+Inf": 4}, id="no buckets"),
        pytest.param(histogram_point((), (1.0, 2.0), count=4), {"+Inf": 4}, id="bounds without buckets"),
        pytest.param(histogram_point((1, 2), (1.0, 2.0)), {"1": 1, "2": 3, "+Inf": 3}, id="no last bucket, and empty"),
        pytest.param(histogram_point((1, 2, 3), (1.0, math.inf)), {"1": 1, "+Inf": 6}, id="an explicit +Inf"),
        pytest.param(
            histogram_point((1, 0, 0), (1.0, math.inf), sum=1.0), {"1": 1, "+Inf": 1}, id="an explicit +Inf, and one 1"
        ),
        pytest.param(histogram_point((1, 2, 3), (-2, 10**21)), {"-2": 1, "1" + "0" * 21: 3, "+Inf": 6}, id="integers"),
        pytest.param(
            histogram_point((1, 2), (1.0,), count=4), {"1": 1, "+Inf": 4}, id="values in no bucket, as NaN is"
        ),
    ],
)
def test_the_last_bucket_is_the_count(classic, refused, point, expected):
    found = values(classic.translate([point]))
    buckets = {key.partition("le=")[2].rstrip("}"): value for key, value in found.items() if "le=" in key}
    assert buckets == expected
    assert found["latency_count{}"] == expected["+Inf"]
    assert not refused


def test_data_points_with_other_bounds_are_families_of_their_own(classic):
    one = histogram_point((1, 1), (1.0,), {"at": "a"})
    other = histogram_point((1, 1, 1), (1.0, 5.0), {"at": "b"})
    first, second = classic.translate([one, other])
    assert [len(family_samples.family.names) for family_samples in (first, second)] == [4, 5]
    first_again, second_again = classic.translate([one, other])
    assert (first_again.streams, second_again.streams) == (first.streams, second.streams)
    assert first_again.family is first.family


def test_other_bounds_of_the_same_stream_take_its_series_over(classic, refused):
    attributes = {"at": "a"}
    list(classic.translate([histogram_point((1, 1), (1.0,), attributes)]))
    found = values(classic.translate([histogram_point((1, 1), (5.0,), attributes)]))
    assert "latency_bucket{at=a,le=5}" in found
    assert "latency_bucket{at=a,le=1}" not in found
    assert not refused


def test_an_attribute_le_leaves_its_name_to_the_bucket(classic):
    all_samples = list(classic.translate([histogram_point((1, 1), (1.0,), {"le": "mine"})]))
    assert set(values(all_samples)) == {
        "latency_bucket{exported_le=mine,le=1}",
        "latency_bucket{exported_le=mine,le=+Inf}",
        "latency_sum{exported_le=mine}",
        "latency_count{exported_le=mine}",
    }
    assert all_samples[0].streams[0].label_bytes == len("exported_lemine")


def test_exemplars_are_on_the_bucket_that_holds_their_value(classic):
    ones = [exemplar(value) for value in (7.0, 0.5, 1.0, 1.5, 9.0)]
    points = [
        histogram_point((0, 0, 0), (1.0, 2.0), {"at": "a"}),
        histogram_point((1, 1, 3), (1.0, 2.0), {"at": "b"}, exemplars=ones),
    ]
    found = {
        series.labels["le"]: [each.value for each in series.exemplars]
        for series in read(classic.translate(points))
        if series.exemplars
    }
    assert found == {"1": [0.5, 1.0], "2": [1.5], "+Inf": [7.0, 9.0]}


BAD = [
    pytest.param({"bucket_counts": (1, 1, 2)}, "buckets", id="buckets that hold more than the count"),
    pytest.param({"bucket_counts": (1, -1, 3)}, "buckets", id="a negative bucket count"),
    pytest.param({"bucket_counts": (0, 0, 0), "count": -1}, "buckets", id="a negative count"),
    pytest.param({"bucket_counts": (1, None, 1)}, "value", id="a bucket without a count"),
    pytest.param({"bucket_counts": None}, "value", id="None for buckets"),
    pytest.param({"bucket_counts": 3}, "value", id="a number for buckets"),
    pytest.param({"count": None}, "value", id="no count"),
    pytest.param({"count": "3"}, "value", id="a text for a count"),
    pytest.param({"count": 10**400}, "value", id="a count that no float can hold"),
    pytest.param({"sum": None}, "value", id="no sum"),
    pytest.param({"sum": 10**400}, "value", id="a sum that no float can hold"),
    pytest.param({"explicit_bounds": None}, "value", id="None for bounds"),
    pytest.param({"explicit_bounds": (1.0, 1.0)}, "bounds", id="two equal bounds"),
    pytest.param({"explicit_bounds": (1.0, math.nan)}, "bounds", id="a bound that is NaN"),
    pytest.param({"explicit_bounds": (math.inf, 1.0)}, "bounds", id="+Inf before another bound"),
    pytest.param({"explicit_bounds": (2**53, 2**53 + 1)}, "bounds", id="integers that are one float"),
    pytest.param({"explicit_bounds": (1.0, "high")}, "bounds", id="a text for a bound"),
    pytest.param({"explicit_bounds": (1.0, None)}, "bounds", id="None for a bound"),
    pytest.param({"explicit_bounds": (1.0, 10**400)}, "bounds", id="a bound that no float can hold"),
    pytest.param({"explicit_bounds": (1.0, [])}, "value", id="a list for a bound"),
    pytest.param({"time_unix_nano": "now"}, "timestamp", id="a text for a time"),
    pytest.param({"start_time_unix_nano": -1}, "timestamp", id="a start before 1970"),
    pytest.param({"attributes": {"at": object()}}, "attribute value", id="an attribute of an unexpected type"),
]


@pytest.mark.parametrize(("fields", "reason"), BAD)
def test_a_bad_data_point_does_not_cost_another(classic, refused, fields, reason):
    good = [histogram_point(attributes={"at": at}) for at in "ab"]
    expected = values(classic.translate(good))
    bad = histogram_point(**{"attributes": {"at": "c"}} | fields)
    for _ in range(3):
        assert values(classic.translate([good[0], bad, good[1]])) == expected
    assert reasons(refused) == [reason] * 3


def test_a_histogram_that_is_forgotten_gives_back_its_series(classic, descriptor, refused):
    points = [histogram_point((1, 1), (1.0,), {"at": "a"}), histogram_point((1,), (), {"at": "b"})]
    expected = values(classic.translate(points))
    classic.release()
    assert values(HistogramPoints(descriptor).translate(points)) == expected
    assert not refused


# --- native ---


def test_an_exponential_histogram_is_one_series(native):
    point = exponential_point((1, 0, 0, 0, 2), {"at": "a"}, scale=3, zero_count=1, count=4, sum=-2.0)
    [series] = read(native.translate([point]))
    assert series.labels == {"__name__": "latency", "at": "a"}
    assert (series.timestamp, series.start) == (NOW, START)
    histogram = series.value
    assert (histogram.schema, histogram.count, histogram.zero_count, histogram.sum) == (3, 4, 1, -2.0)
    assert histogram.positive_spans == (Span(1, 1), Span(3, 1))
    assert histogram.positive_deltas == (1, 1)


def test_exemplars_of_an_exponential_histogram_are_on_its_series(native):
    points = [
        exponential_point(attributes={"at": "a"}),
        exponential_point(attributes={"at": "b"}, exemplars=[exemplar(2.0, trace_id=1)]),
    ]
    first, second = read(native.translate(points))
    assert first.exemplars == ()
    assert second.exemplars == (Exemplar((("trace_id", f"{1:032x}"),), 2.0, NOW),)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"scale": -5}, "scale", id="a scale for which there is no schema"),
        pytest.param({"scale": None}, "value", id="no scale"),
        pytest.param({"count": 2}, "buckets", id="buckets that hold more than the count"),
        pytest.param({"count": 4}, "buckets", id="buckets that hold less than the count"),
        pytest.param({"zero_count": -1, "count": 2}, "buckets", id="a negative zero count"),
        pytest.param({"positive": Buckets(0, (1, -1, 3))}, "buckets", id="a negative bucket count"),
        pytest.param({"positive": None}, "value", id="no buckets"),
        pytest.param({"positive": Buckets(2**40, (3,))}, "buckets", id="an offset that cannot be written"),
        pytest.param({"sum": None}, "sum", id="no sum"),
        pytest.param({"sum": 10**400}, "sum", id="a sum that no float can hold"),
        pytest.param({"count": 2**70, "zero_count": 2**70 - 3}, "buckets", id="a count that cannot be written"),
        pytest.param({"time_unix_nano": None}, "timestamp", id="no time"),
    ],
)
def test_a_bad_exponential_data_point_does_not_cost_another(native, refused, fields, reason):
    good = [exponential_point(attributes={"at": at}) for at in "ab"]
    expected = values(native.translate(good))
    for _ in range(3):
        found = values(native.translate([good[0], exponential_point(attributes={"at": "c"}, **fields), good[1]]))
        assert found == expected
    assert reasons(refused) == [reason] * 3


# --- explicit buckets as native histograms ---


def test_explicit_buckets_become_custom_ones(custom):
    [series] = read(custom.translate([histogram_point((0, 3, 0, 2), (1.0, 2.0, 5.0), sum=9.0)]))
    assert series.labels == {"__name__": "latency"}
    histogram = series.value
    assert (histogram.schema, histogram.custom_bounds) == (-53, (1.0, 2.0, 5.0))
    assert (histogram.count, histogram.sum) == (5, 9.0)
    assert histogram.positive_spans == (Span(1, 3),)
    assert histogram.positive_deltas == (3, -3, 2)


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(histogram_point((), (), {"at": "b"}, count=4), id="no buckets"),
        pytest.param(histogram_point((1, 1), (1.0,), {"at": "b"}, count=3), id="buckets that hold less than the count"),
        pytest.param(histogram_point((1, 1, 1), (2.0, 1.0), {"at": "b"}), id="bounds that do not ascend"),
    ],
)
def test_what_a_native_histogram_cannot_be_stays_classic_and_the_rest_native(custom, refused, point):
    found = read(custom.translate([histogram_point(attributes={"at": "a"}), point]))
    assert {series.name for series in found if series.labels["at"] == "a"} == {"latency"}
    assert {series.name for series in found if series.labels["at"] == "b"} == {
        "latency_bucket",
        "latency_sum",
        "latency_count",
    }
    assert not refused


@pytest.mark.parametrize(("fields", "reason"), [each for each in BAD if each.id != "no sum"])
def test_a_bad_data_point_does_not_cost_another_custom_one(custom, refused, fields, reason):
    good = [histogram_point(attributes={"at": at}) for at in "ab"]
    expected = values(custom.translate(good))
    bad = histogram_point(**{"attributes": {"at": "c"}} | fields)
    assert values(custom.translate([good[0], bad, good[1]])) == expected
    assert len(refused) == 1
    assert reasons(refused)[0] in {reason, "sum", "bounds"}  # the native form says more of what is wrong


def test_a_sum_that_is_not_set_is_zero_in_custom_buckets(custom):
    [series] = read(custom.translate([histogram_point(sum=None)]))
    assert series.value.sum == 0.0
