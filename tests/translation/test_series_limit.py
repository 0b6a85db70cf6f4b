"""A process sends no more series than it may, says once what it leaves out, and gives room to others."""

from __future__ import annotations

import gc
import logging
import os
import threading

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
from opentelemetry.sdk.resources import Resource

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.errors import SeriesLimitExceeded
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from opentelemetry.exporter.prometheus_remote_write.translation.dropped_points import DroppedPoints
from opentelemetry.exporter.prometheus_remote_write.translation.series_limit import PROCESS, SeriesLimit, SeriesUsage
from opentelemetry.exporter.prometheus_remote_write.translation.translator import Translator
from tests.collected import collected, counter, gauge, histogram, histogram_point, point
from tests.family_samples import read

# --- the limit ---


def test_a_share_takes_up_to_the_limit_and_what_is_given_back():
    usage = SeriesUsage(10)
    usage.take("a", 7)
    with pytest.raises(SeriesLimitExceeded, match="10 series"):
        usage.take("b", 4)
    usage.take("b", 3)
    usage.give_back("a", 7)
    usage.take("c", 7)
    assert usage.series == {"b": 3, "c": 7}


def test_shares_count_together_each_with_its_own_limit():
    limit = SeriesLimit()
    small, large, unlimited = SeriesUsage(5, limit), SeriesUsage(10, limit), SeriesUsage(0, limit)
    large.take("a", 6)
    with pytest.raises(SeriesLimitExceeded):
        small.take("b", 1)
    unlimited.take("a", 100)
    with pytest.raises(SeriesLimitExceeded):
        large.take("c", 1)
    assert limit.used() == {"a": 106}


def test_a_share_that_nobody_holds_counts_no_more():
    limit = SeriesLimit()
    lost, kept = SeriesUsage(0, limit), SeriesUsage(10, limit)
    lost.take("a", 10)
    del lost
    gc.collect()
    kept.take("b", 10)
    assert limit.used() == {"b": 10}


def test_threads_together_do_not_take_too_much():
    limit = SeriesLimit()
    usages = [SeriesUsage(1000, limit) for _ in range(4)]
    taken = []

    def take(usage):
        for _ in range(500):
            try:
                usage.take("a", 1)
            except SeriesLimitExceeded:
                return
            taken.append(1)

    threads = [threading.Thread(target=take, args=(usage,)) for usage in usages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == limit.used()["a"] == 1000


# --- what is left out ---


def test_a_share_that_has_left_counts_no_more_though_it_is_held():
    limit = SeriesLimit()
    held, kept = SeriesUsage(0, limit), SeriesUsage(10, limit)
    held.take("a", 10)
    held.detach()
    kept.take("b", 10)
    assert limit.used() == {"b": 10}


class Translation:
    """A translator with a limit."""

    def __init__(self, max_series, limit=None, **settings):
        self.dropped = DroppedPoints()
        self.limit = limit or SeriesLimit()
        settings = {"disable_target_info": True, "max_series": max_series, **settings}
        self.translator = Translator(Settings(**settings), self.dropped, series_limit=self.limit)

    def export(self, *metrics, resource=None):
        """The series that an export has, by name and attribute."""
        data = collected(*metrics, resource=resource or {"service.name": "shop"})
        return {(each.name, each.labels.get("at")) for each in read(self.translator.translate(data))}


def points(*names):
    return [point(1.0, {"at": name}) for name in names]


def hits(*names):
    return {("hits_total", name) for name in names}


def test_streams_beyond_the_limit_are_left_out_and_counted():
    translation = Translation(3)
    assert translation.export(counter(*points(*"abcde"))) == hits(*"abc")
    assert translation.dropped.points == {"max_series": 2}
    assert translation.export(counter(*points(*"abcde"))) == hits(*"abc")
    assert translation.dropped.points == {"max_series": 4}


def test_what_an_exporter_says_about_itself_is_sent_however_many_series_there_are():
    """That something was dropped is only known when the limit is reached."""
    translation = Translation(2)
    lost = (
        counter(point(3.0), name="otel.sdk.exporter.metric_data_point.exported"),
        counter(point(3.0), name="prometheus_remote_write.exporter.series.dropped"),
    )
    assert translation.export(counter(*points(*"abcde")), *lost) == {
        *hits(*"ab"),
        ("otel_sdk_exporter_metric_data_point_exported_total", None),
        ("prometheus_remote_write_exporter_series_dropped_total", None),
    }
    assert translation.dropped.points == {"max_series": 3}


def test_what_has_its_place_keeps_it_whatever_comes_before_it():
    translation = Translation(2)
    a, b, c, d = points(*"abcd")
    assert translation.export(counter(a, b)) == hits(*"ab")
    assert translation.export(gauge(c, name="first"), counter(d, b, a)) == hits(*"ab")


def test_series_that_disappear_make_room():
    translation = Translation(2)
    a, b, c, d = points(*"abcd")
    assert translation.export(counter(a, b, c, d)) == hits(*"ab")
    translation.export(counter(b, c, d))
    assert translation.export(counter(b, c, d)) == hits(*"bc")
    translation.export(gauge(name="other"))
    assert translation.export(counter(d, c)) == hits(*"cd")


def test_a_histogram_counts_with_all_its_series_and_is_never_cut():
    translation = Translation(11)
    whole = [histogram_point((1, 1, 1), (1.0, 2.0), {"at": name}) for name in "ab"]  # five series each
    latency = {(f"latency_{part}", "a") for part in ("bucket", "sum", "count")}
    series = translation.export(histogram(whole[0]), counter(*points(*"abcdefgh")))
    assert series == latency | hits(*"abcdef")
    translation.export(histogram(*whole))
    assert translation.export(histogram(*whole)) == latency | {(name, "b") for name, _ in latency}


def test_a_target_has_its_info_however_many_series_there_are():
    translation = Translation(2, disable_target_info=False)
    resource = {"service.name": "shop", "host.name": "h1"}
    assert translation.export(counter(*points(*"abc")), resource=resource) == {*hits(*"ab"), ("target_info", None)}


def test_the_limit_is_of_the_process_not_of_an_exporter():
    limit = SeriesLimit()
    first, second = Translation(3, limit), Translation(3, limit)
    assert first.export(counter(*points(*"ab"))) == hits(*"ab")
    assert second.export(counter(*points(*"ab"))) == hits("a")
    first.translator.release()
    assert second.export(counter(*points(*"ab"))) == hits(*"ab")
    assert list(first.translator.translate(MetricsData([]))) == []


def test_the_labels_of_what_was_left_out_are_not_made_again_while_there_is_no_room():
    class Counting(dict):
        read = 0
        __iter__ = None  # so that a copy of it begins with its keys

        def keys(self):
            Counting.read += 1
            return super().keys()

    translation = Translation(1)
    known, refused = point(1.0, {"at": "a"}), point(1.0, Counting(at="b"))
    translation.export(counter(known, refused))
    before = Counting.read
    assert before
    assert translation.export(counter(known, refused)) == hits("a")
    assert Counting.read == before
    translation.export(counter(refused))
    assert translation.export(counter(refused)) == hits("b")


# --- what is said ---


def test_one_warning_names_what_is_left_out_and_what_most_series_are_of(caplog):
    translation = Translation(9)
    a_lot = counter(*points(*"abcdef"), name="many")
    few = gauge(*points(*"ab"), name="few")
    for _ in range(2):
        translation.export(a_lot, few, counter(*points(*"abc")), gauge(*points(*"ab"), name="last"))
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    text = record.getMessage()
    assert "max_series=9" in text
    assert "4 streams are dropped (of 'hits': 2, 'last': 2)" in text
    assert "Most series are of 'many': 6, 'few': 2, 'hits': 1:" in text
    assert "\n" not in text


def test_nothing_is_said_while_there_is_room(caplog):
    Translation(3).export(counter(*points(*"abc")))
    assert not caplog.records


# --- with the exporter ---


def exporter_of(receiver, **settings):
    return PrometheusRemoteWriteMetricsExporter(endpoint=receiver.url, disable_target_info=True, **settings)


def collection(streams):
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], Resource({"service.name": "shop"}), shutdown_on_exit=False)
    counter = provider.get_meter("tests").create_counter("hits")
    for number in range(streams):
        counter.add(1, {"number": number})
    data = reader.get_metrics_data()
    provider.shutdown()
    return data


def names(receiver):
    return {series.labels for request in receiver.received for series in request.series}


def test_exporters_of_a_process_share_the_budget_until_one_is_shut_down():
    gc.collect()
    already = PROCESS.used().total()
    with Receiver() as receiver, Receiver() as other:
        first = exporter_of(receiver, max_series=already + 5)
        second = exporter_of(other, max_series=already + 5)
        first.export(collection(4))
        second.export(collection(4))
        assert (len(names(receiver)), len(names(other))) == (4, 1)
        first.shutdown()
        second.export(collection(4))
        assert len(names(other)) == 4
        second.shutdown()
    assert PROCESS.used().total() == already


@pytest.fixture
def no_collection():
    """What only holds itself is there still."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
def test_what_was_sent_by_2_0_has_its_room_when_it_is_sent_by_1_0():
    already = PROCESS.used().total()
    with Receiver(answers=[ScriptedAnswer(415)]) as receiver:
        exporter = exporter_of(receiver, max_series=already + 5, protocol="auto")
        exporter.export(collection(4))
        assert exporter._data_path.pipeline.protocol == "1.0"
        exporter.export(collection(4))
        assert exporter.dropped.points == {}
        exporter.shutdown()
    assert PROCESS.used().total() == already


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_has_the_whole_budget_for_itself():
    with Receiver() as receiver:
        exporter = exporter_of(receiver)
        exporter.export(collection(4))
        before = PROCESS.used()
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            try:
                at_first = PROCESS.used().total()
                exporter.export(collection(3))
                os.write(writing, f"{at_first} {PROCESS.used().total()}".encode())
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        os.close(writing)
        with os.fdopen(reading) as found:
            assert found.read() == "0 3"
        assert PROCESS.used() == before
        exporter.shutdown()
