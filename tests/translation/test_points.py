import math
from types import SimpleNamespace

import pytest

from opentelemetry.exporter.prometheus_remote_write.model.remote_write import (
    Exemplar,
    Metadata,
    MetricType,
)
from opentelemetry.exporter.prometheus_remote_write.model.timestamps import LATEST
from opentelemetry.exporter.prometheus_remote_write.translation.points import NumberPoints
from tests.collected import NOW, START, exemplar, nanoseconds, point
from tests.descriptors import described
from tests.family_samples import read, values

SPAN = {"trace_id": 0xAB, "span_id": 0xCD}
SPAN_LABELS = (("span_id", f"{0xCD:016x}"), ("trace_id", f"{0xAB:032x}"))


@pytest.fixture
def refused():
    return []


@pytest.fixture
def descriptor(refused):
    return described(refused.append, "queue.size", "queue_size", "Waiting.", "items")


@pytest.fixture
def gauges(descriptor):
    return NumberPoints(descriptor, MetricType.GAUGE)


@pytest.fixture
def counters(descriptor):
    return NumberPoints(descriptor, MetricType.COUNTER)


def good(number, at=NOW):
    return point(float(number), {"at": f"good {number}"}, at=at)


def test_each_data_point_becomes_a_sample(gauges):
    [first, second] = read(gauges.translate([point(1, {"at": "a"}, at=NOW), point(2.5, {"at": "b"}, at=NOW + 7)]))
    assert first.labels == {"__name__": "queue_size", "at": "a"}
    assert (first.value, first.timestamp, first.start) == (1.0, NOW, START)
    assert (second.value, second.timestamp) == (2.5, NOW + 7)
    assert second.metadata == Metadata("queue_size", MetricType.GAUGE, "Waiting.", "items")


def test_a_time_that_all_share_is_said_once(gauges):
    [family_samples] = gauges.translate([good(1), good(2)])
    assert family_samples.timestamps == NOW
    [family_samples] = gauges.translate([good(1), good(2, at=NOW + 1)])
    assert family_samples.timestamps == [NOW, NOW + 1]


def test_less_than_a_millisecond_is_cut_off(gauges):
    late = SimpleNamespace(attributes={}, start_time_unix_nano=1, time_unix_nano=nanoseconds(NOW) + 999_999, value=1)
    [series] = read(gauges.translate([late]))
    assert (series.timestamp, series.start) == (NOW, 0)


def test_without_data_points_there_are_no_family_samples(gauges):
    assert list(gauges.translate([])) == []


@pytest.mark.parametrize(
    "value", [0.0, -0.0, math.inf, -math.inf, math.nan, 1e308, 5e-324, -1, 2**53 + 1, 10**300, True], ids=repr
)
def test_every_number_that_a_float_can_hold_is_sent(gauges, refused, value):
    [series] = read(gauges.translate([point(value)]))
    assert repr(series.value) == repr(float(value))
    assert not refused


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        pytest.param(point(None), "value", id="no value"),
        pytest.param(point("1"), "value", id="a text for a value"),
        pytest.param(point(10**400), "value", id="an integer that no float can hold"),
        pytest.param(point(1j), "value", id="a complex number"),
        pytest.param(SimpleNamespace(attributes={}, start_time_unix_nano=0), "value", id="neither time nor value"),
        pytest.param(SimpleNamespace(**vars(point()) | {"time_unix_nano": None}), "timestamp", id="no time"),
        pytest.param(
            SimpleNamespace(**vars(point()) | {"time_unix_nano": 1.5e18}), "timestamp", id="a float for a time"
        ),
        pytest.param(point(at=-1), "timestamp", id="a time before 1970"),
        pytest.param(point(at=LATEST + 1), "timestamp", id="a time beyond what can be written"),
        pytest.param(point(start=-1), "timestamp", id="a start before 1970"),
        pytest.param(point(1.0, "attributes"), "attributes", id="attributes that are not a mapping"),
        pytest.param(point(1.0, {"at": object()}), "attribute value", id="an attribute of an unexpected type"),
        pytest.param(None, "attributes", id="no data point at all"),
    ],
)
def test_a_bad_data_point_does_not_cost_another(gauges, refused, bad, reason):
    for _ in range(3):
        assert values(gauges.translate([good(1), bad, good(2)])) == {
            "queue_size{at=good 1}": 1.0,
            "queue_size{at=good 2}": 2.0,
        }
    assert [error.reason for error in refused] == [reason] * 3


def test_bad_data_points_alone_give_no_family_samples_and_hold_no_series(gauges, descriptor, refused):
    attributes = {"at": "a"}
    assert list(gauges.translate([point(1.0, attributes)]))
    assert list(gauges.translate([point(None, attributes)])) == []
    assert values(NumberPoints(descriptor, MetricType.GAUGE).translate([point(2.0, attributes)])) == {
        "queue_size{at=a}": 2
    }
    assert len(refused) == 1


def test_a_data_point_that_was_bad_is_sent_when_it_is_sound(gauges):
    attributes = {"at": "a"}
    assert list(gauges.translate([point(None, attributes)])) == []
    assert values(gauges.translate([point(3.0, attributes)])) == {"queue_size{at=a}": 3.0}


def test_streams_are_kept_while_a_bad_data_point_comes_and_goes(gauges):
    known, bad = [good(1), good(2)], point(None, {"at": "bad"})
    [before] = gauges.translate(known)
    list(gauges.translate([*known, bad]))
    [after] = gauges.translate(known)
    assert after.streams == before.streams


def test_exemplars_of_a_counter_are_on_its_series(counters):
    traced = point(2.0, {"at": "b"}, exemplars=[exemplar(1.5, {"user": "u1"}, **SPAN)])
    first, second = read(counters.translate([good(1), traced]))
    assert first.exemplars == ()
    assert second.exemplars == (Exemplar((*SPAN_LABELS, ("user", "u1")), 1.5, NOW),)


def test_exemplars_of_a_gauge_are_not_sent(gauges):
    [series] = read(gauges.translate([point(2.0, exemplars=[exemplar(1.5, **SPAN)])]))
    assert series.exemplars == ()


def test_exemplars_are_not_sent_where_they_are_switched_off(descriptor):
    silent = NumberPoints(descriptor._replace(exemplars=False), MetricType.COUNTER)
    [series] = read(silent.translate([point(2.0, exemplars=[exemplar(1.5, **SPAN)])]))
    assert series.exemplars == ()


def test_a_bad_exemplar_costs_neither_its_data_point_nor_another_exemplar(counters, refused):
    bad = [None, exemplar(math.nan), exemplar("1"), exemplar(1.0, at=-1), exemplar(1.0, trace_id=-1)]
    [series] = read(counters.translate([point(2.0, exemplars=[*bad, exemplar(1.5, **SPAN)])]))
    assert series.value == 2.0
    assert series.exemplars == (Exemplar(SPAN_LABELS, 1.5, NOW),)
    assert not refused


def test_forgetting_gives_back_all_series(gauges, descriptor, refused):
    list(gauges.translate([good(1)]))
    gauges.release()
    assert list(NumberPoints(descriptor, MetricType.GAUGE).translate([good(1)]))
    assert not refused
