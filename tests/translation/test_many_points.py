"""Families so large that they are translated in blocks."""

import pytest

from opentelemetry.exporter.prometheus_remote_write.model.remote_write import MetricType
from opentelemetry.exporter.prometheus_remote_write.translation.histogram_points import HistogramPoints
from opentelemetry.exporter.prometheus_remote_write.translation.native_points import exponential_points
from opentelemetry.exporter.prometheus_remote_write.translation.points import NumberPoints
from tests.collected import NOW, exemplar, exponential_point, histogram_point, point
from tests.descriptors import described
from tests.family_samples import read

MANY = 300


def counter(number, **fields):
    return point(float(number), {"at": str(number)}, **fields)


def classic(number, **fields):
    return histogram_point((number, 1, 0), (1.0, 2.0), {"at": str(number)}, **fields)


def native(number, **fields):
    return exponential_point((number, 1), {"at": str(number)}, **fields)


KINDS = [
    pytest.param(lambda descriptor: NumberPoints(descriptor, MetricType.COUNTER), counter, id="counters"),
    pytest.param(HistogramPoints, classic, id="classic histograms"),
    pytest.param(exponential_points, native, id="exponential histograms"),
]
TIMES = [
    pytest.param(lambda _: NOW, id="one time for all"),
    pytest.param(lambda number: NOW + number // 200, id="the last third later"),
    pytest.param(lambda number: NOW + number, id="a time for each"),
]


def translated(new, points):
    dropped = []
    series = read(new(described(dropped.append)).translate(points))
    return series, [error.reason for error in dropped]


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize(("new", "made"), KINDS)
def test_each_of_many_data_points_becomes_what_it_becomes_alone(new, made, time):
    points = [
        made(number, at=time(number), exemplars=[exemplar(1.5)] if number % 50 == 7 else ()) for number in range(MANY)
    ]
    alone = [series for each in points for series in translated(new, [each])[0]]
    assert translated(new, points) == (alone, [])


@pytest.mark.parametrize(("new", "made"), KINDS)
def test_a_bad_one_among_many_costs_none_of_the_others(new, made):
    points = [made(number) for number in range(MANY)]
    good = [*points[:250], *points[251:]]
    points[250] = made(250, exemplars=3)
    assert translated(new, points) == (translated(new, good)[0], ["value"])


@pytest.mark.parametrize(("new", "made"), KINDS)
def test_what_is_new_among_many_is_found(new, made):
    translator = new(described([].append))
    first = [made(number) for number in range(MANY)]
    read(translator.translate(first))
    then = [*first[:200], made(MANY), *first[201:]]
    assert [series.labels["at"] for series in read(translator.translate(then))] == [
        series.labels["at"] for series in translated(new, then)[0]
    ]


def test_of_many_that_are_alike_the_first_is_sent():
    points = [point(float(number), {"at": str(number % 290)}) for number in range(MANY)]
    series, dropped = translated(lambda descriptor: NumberPoints(descriptor, MetricType.GAUGE), points)
    assert [each.value for each in series] == list(range(290))
    assert dropped == ["duplicate"] * 10
