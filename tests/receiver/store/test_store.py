"""What is kept of what came in, what of it can be said in one line, and what goes when there is too much."""

from __future__ import annotations

import struct

import pytest

from opentelemetry.exporter.prometheus_remote_write.model.remote_write import Exemplar, Span
from opentelemetry.exporter.prometheus_remote_write.receiver import Histogram, ReceivedMetadata, Sample, Series
from opentelemetry.exporter.prometheus_remote_write.receiver.store import Store, StoredTarget
from opentelemetry.exporter.prometheus_remote_write.receiver.store.summary import summaries
from tests.receiver.messages import NOW
from tests.receiver.pushes import Clock, classic, exports, point, push, rejection

(STALE,) = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(clock):
    return Store(clock=clock)


def line(store, name):
    return next(each for each in summaries(store) if each.name == name)


def names(store):
    return [each.name for each in summaries(store)]


def test_counter_has_a_rate_a_total_and_a_trend(store, clock):
    exports(store, clock, *(lambda at, value=value: [point("orders_total", value, at)] for value in (0, 10, 20, 30)))
    found = line(store, "orders_total")
    assert (found.type, found.series, found.total, found.rate) == ("counter", 1, 30, 2.0)
    assert found.trend[-1] == 2.0
    assert not found.has_stopped


def test_counter_that_begins_anew_counts_from_zero(store, clock):
    exports(store, clock, *(lambda at, value=value: [point("orders_total", value, at)] for value in (90, 100, 5)))
    assert line(store, "orders_total").rate == 1.5


def test_zero_sample_is_what_a_counter_grows_from(store):
    series = Series((("__name__", "orders_total"),), (Sample(0.0, NOW - 5000), Sample(10.0, NOW)))
    store(push(series))
    assert line(store, "orders_total").rate == 2.0


def test_zero_sample_just_before_the_first_value_makes_no_high_rate(store):
    store(push(Series((("__name__", "orders_total"),), (Sample(0.0, NOW - 5), Sample(1.0, NOW)))))
    assert line(store, "orders_total").rate == 1.0


def test_gauge_has_the_lowest_and_the_highest_of_its_series(store):
    store(push(point("depth", 3.0, queue="a"), point("depth", 7.0, queue="b")))
    found = line(store, "depth")
    assert (found.lowest, found.highest, found.rate, found.trend[-1]) == (3.0, 7.0, None, 5.0)


def test_classic_histogram_is_one_metric_with_rate_and_quantiles(store, clock):
    exports(
        store,
        clock,
        lambda at: classic("latency", (0, 0, 0, 0), at),
        lambda at: classic("latency", (0, 10, 10, 10), at),
    )
    assert names(store) == ["latency"]
    found = line(store, "latency")
    assert (found.type, found.series, found.rate, found.total) == ("histogram", 6, 2.0, 10)
    assert (found.p50, found.p95) == (1.5, 1.95)


def test_quantiles_are_of_all_streams_together(store, clock):
    exports(
        store,
        clock,
        lambda at: classic("latency", (0, 0, 0, 0), at, route="/a") + classic("latency", (0, 0, 0, 0), at, route="/b"),
        lambda at: classic("latency", (9, 9, 9, 9), at, route="/a") + classic("latency", (0, 0, 1, 1), at, route="/b"),
    )
    assert line(store, "latency").p50 == pytest.approx(5 / 9)
    assert line(store, "latency").p95 == pytest.approx(3.5)


def native(count, at, bucket=0):
    return Histogram(at, count, 1.0, 0, positive_spans=(Span(bucket, 1),), positive_counts=(count,))


def test_native_histogram_has_rate_and_quantiles(store, clock):
    exports(store, clock, lambda at: [point("latency", native(10, at))], lambda at: [point("latency", native(30, at))])
    found = line(store, "latency")
    assert (found.type, found.series, found.rate) == ("histogram", 1, 4.0)
    assert found.p50 == pytest.approx(0.5**0.5)


@pytest.mark.parametrize("order", [1, -1])
def test_sum_and_count_belong_to_the_histogram_in_whatever_order_they_come(store, order):
    store(push(*classic("latency", (1, 1, 1, 1))[::order], point("items_count", 1.0)))
    assert names(store) == ["items_count", "latency"]


def test_metadata_of_1_0_may_come_later_and_by_itself(store):
    store(push(point("latency_count", 1.0), point("orders_total", 1.0)))
    store(push(families={"orders": ReceivedMetadata("counter", "Orders.", "")}))
    assert line(store, "orders_total").help == "Orders."


def test_metadata_of_2_0_comes_with_each_series(store):
    store(push(*classic("latency", (1, 1, 1, 1)), protocol="2.0"))
    store(
        push(
            point("latency_count", 2.0, NOW + 1, ReceivedMetadata("histogram", "How long.", "seconds")),
            point("speed", 1.0, NOW + 1, ReceivedMetadata("gauge", "How fast.", "")),
        )
    )
    assert (line(store, "latency").help, line(store, "latency").unit) == ("How long.", "seconds")
    assert line(store, "speed").type == "gauge"


def test_repeated_push_is_noted_and_counts_nothing_twice(store):
    store(push(point("orders_total", 1.0)))
    store(push(point("orders_total", 1.0), repeated=True))
    assert [each.repeated for each in store.pushes] == [False, True]
    [series] = store.families["orders_total"].series.values()
    assert series.values.tolist() == [1.0]


def test_pushes_and_rejections_are_kept_with_what_there_is_to_say_of_them(store):
    store(push(point("up", 1.0, job="shop", instance="a"), point("depth", 1.0, job="shop", instance="a")))
    store(rejection("labels are not sorted"))
    [pushed], [rejected] = store.pushes, store.rejections
    assert (pushed.series, pushed.samples, pushed.size, pushed.targets) == (2, 2, 4, (StoredTarget("shop", "a"),))
    assert (rejected.status, rejected.reason) == (400, "labels are not sorted")
    assert (store.counts["pushes"], store.counts["rejections"]) == (1, 1)


def test_sender_has_its_interval_and_its_target_info(store, clock):
    exports(store, clock, *[lambda at: [point("target_info", 1.0, at, job="shop", instance="a", version="7")]] * 3)
    [sender] = store.senders.all()
    assert (sender.interval, sender.pushes) == (5000, 3)
    assert dict(sender.info)["version"] == "7"
    assert names(store) == []


def test_interval_is_the_longest_of_those_that_still_push(store, clock):
    exports(store, clock, *[lambda at: [point("up", 1.0, at, job="slow")]] * 2, interval=60)
    assert store.interval == 60_000
    clock.now += 200
    assert store.interval == 60_000
    exports(store, clock, *[lambda at: [point("up", 1.0, at, job="fast")]] * 3, interval=5)
    assert store.interval == 5000


def test_series_has_stopped_when_it_is_stale_left_out_or_its_target_is_silent(store, clock):
    def one(at):
        return [point("kept", 1.0, at), point("left_out", 1.0, at), point("stale", 1.0, at)]

    exports(store, clock, one, lambda at: [point("kept", 2.0, at), point("stale", STALE, at)])
    assert [each.has_stopped for each in summaries(store)] == [False, False, True]
    clock.now += 5
    exports(store, clock, lambda at: [point("kept", 3.0, at)])
    assert [each.has_stopped for each in summaries(store)] == [False, True, True]
    clock.now += 16
    assert [each.has_stopped for each in summaries(store)] == [True, True, True]


def test_exemplars_are_kept(store):
    exemplar = Exemplar((("trace_id", "ab"),), 0.5, NOW)
    store(push(point("orders_total", 1.0, exemplars=(exemplar,))))
    [series] = store.families["orders_total"].series.values()
    assert list(series.exemplars) == [exemplar]


def test_series_that_left_long_ago_goes_first_where_there_are_too_many(clock):
    store = Store(keep_series=3, clock=clock)
    exports(store, clock, *(lambda at, name=name: [point(name, 1.0, at)] for name in "abcdef"))
    assert names(store) == ["d", "e", "f"]
    assert store.counts["forgotten"] == 3


def test_what_a_push_has_beyond_the_bound_is_counted_and_what_is_kept_stays(clock):
    store = Store(keep_series=3, clock=clock)
    exports(store, clock, *[lambda at: [point(name, 1.0, at) for name in "abcde"]] * 3)
    assert names(store) == ["a", "b", "c"]
    assert (store.size, store.counts["forgotten"], store.counts["passed_over"]) == (3, 0, 6)


def test_series_that_has_ended_makes_room_at_once(clock):
    store = Store(keep_series=1, clock=clock)
    exports(store, clock, lambda at: [point("a", 1.0, at)], lambda at: [point("a", STALE, at), point("b", 1.0, at)])
    assert names(store) == ["b"]


def test_native_histogram_counts_for_as_many_series_as_it_has_buckets(clock):
    store = Store(keep_series=4, clock=clock)
    exports(store, clock, lambda at: [point(name, native(1, at)) for name in "abcd"])
    assert names(store) == ["a", "b"]


def test_long_labels_count_for_as_many_series_as_take_their_memory(clock):
    store = Store(keep_series=10, clock=clock)
    for number in range(5):
        exports(store, clock, lambda at, number=number: [point("a", 1.0, at, text="x" * 8000 + str(number))])
        clock.now += 5
    assert store.size == 2


def test_what_is_known_of_names_texts_and_senders_is_bounded(clock):
    store = Store(clock=clock)
    long = "x" * 100_000
    said = ReceivedMetadata("gauge", long, long)
    labels = {"job": long, "instance": long, "long": long}
    store(push(point("target_info", 1.0, **labels), point("up", 1.0, metadata=said), families={long: said}))
    store(push(*(point("down", 1.0, NOW + 1, instance=str(number)) for number in range(2000))))
    [_, last] = store.pushes
    assert (len(last.targets), last.senders) == (10, 2000)
    assert len(store.senders.all()) == 1000
    assert len(line(store, "up").help) == len(line(store, "up").unit) == 1000
    assert list(store._metadata) == ["up"]


def test_what_has_not_come_for_the_time_that_is_kept_is_forgotten(store, clock):
    exports(store, clock, lambda at: [point("a", 1.0, at)])
    clock.now += 901
    exports(store, clock, lambda at: [point("b", 1.0, at)])
    assert names(store) == ["b"]


def test_points_are_thinned_out_to_a_bound(clock):
    store = Store(keep=300, clock=clock)
    exports(store, clock, *[lambda at: [point("a", 1.0, at)]] * 1000, interval=0.25)
    [series] = store.families["a"].series.values()
    assert len(series.times) == 251
    exports(store, clock, *[lambda at: [point("a", 1.0, at)]] * 1000, interval=1)
    assert len(series.times) <= 360


def test_waiting_ends_with_the_next_request(store):
    version = store.wait(-1, 10)
    assert store.wait(version, 0.001) == version
    store(rejection("no"))
    assert store.wait(version, 10) == version + 1
