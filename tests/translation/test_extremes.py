import math

import pytest

from opentelemetry.exporter.prometheus_remote_write.model.remote_write import MetricType
from opentelemetry.exporter.prometheus_remote_write.translation.extremes import ExtremePoints, WithExtremes
from opentelemetry.exporter.prometheus_remote_write.translation.histogram_points import HistogramPoints
from tests.collected import histogram_point, unrecorded
from tests.descriptors import described
from tests.family_samples import read, values


@pytest.fixture
def refused():
    return []


@pytest.fixture
def descriptor(refused):
    return described(refused.append)


def reasons(refused):
    return [error.reason for error in refused]


def test_extremes_are_gauges_beside_the_histogram(descriptor):
    points = [histogram_point(attributes={"at": "a"}, min=0.25, max=8.0)]
    low, high = (read(ExtremePoints(descriptor, extreme).translate(points)) for extreme in ("min", "max"))
    assert [(series.name, series.labels["at"], series.value) for series in low + high] == [
        ("latency_min", "a", 0.25),
        ("latency_max", "a", 8.0),
    ]
    assert low[0].metadata.type is MetricType.GAUGE
    assert low[0].metadata.family == "latency_min"


def test_extremes_that_were_not_recorded_are_not_sent(descriptor, refused):
    points = [histogram_point(attributes={"at": "a"}, **unrecorded()), histogram_point(attributes={"at": "b"})]
    assert values(ExtremePoints(descriptor, "min").translate(points)) == {"latency_min{at=b}": 0.5}
    assert not refused


def test_a_histogram_of_nothing_but_infinity_has_extremes(descriptor):
    points = [histogram_point((0, 0, 1), min=math.inf, max=math.inf)]
    assert values(ExtremePoints(descriptor, "min").translate(points)) == {"latency_min{}": math.inf}


def test_a_bad_extreme_does_not_cost_another(descriptor, refused):
    points = [histogram_point(attributes={"at": "a"}, min=None), histogram_point(attributes={"at": "b"})]
    assert values(ExtremePoints(descriptor, "min").translate(points)) == {"latency_min{at=b}": 0.5}
    assert reasons(refused) == ["value"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        pytest.param({"attributes": 7}, "attributes", id="left out of all three"),
        pytest.param({"attributes": {"at": "a"}}, "duplicate", id="two of the same labels"),
        pytest.param({"counts": (1, 1, -1)}, "buckets", id="left out of the histogram alone"),
        pytest.param({"attributes": {"at": "b"}, "min": None}, "value", id="left out of the least value alone"),
    ],
)
def test_a_data_point_that_is_left_out_is_counted_once(descriptor, refused, bad, reason):
    points = [histogram_point(attributes={"at": "a"}), histogram_point(**bad)]
    list(WithExtremes(descriptor, HistogramPoints).translate(points))
    assert reasons(refused) == [reason]


def test_each_thing_that_is_wrong_is_counted(descriptor, refused):
    points = [histogram_point(attributes={"at": at}, **({"min": None} if at in "bc" else {})) for at in "abc"]
    broken = histogram_point((1, 1, -1), attributes={"at": "d"})
    list(WithExtremes(descriptor, HistogramPoints).translate([*points, broken]))
    assert sorted(reasons(refused)) == ["buckets", "value", "value"]


def test_nothing_is_kept_of_a_histogram_that_is_gone(descriptor):
    points = WithExtremes(descriptor, HistogramPoints)
    list(points.translate([histogram_point()]))
    points.release()
    assert descriptor.registry._owners == {}
