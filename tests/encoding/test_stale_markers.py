"""A series that has ended is marked as stale: with exact bits, once, and no other series."""

from __future__ import annotations

import os
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation
from opentelemetry.sdk.resources import Resource

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.encoding.batches import Batches
from opentelemetry.exporter.prometheus_remote_write.encoding.remote_write_1 import RemoteWrite1
from opentelemetry.exporter.prometheus_remote_write.encoding.remote_write_2 import RemoteWrite2
from opentelemetry.exporter.prometheus_remote_write.encoding.stale_markers import marked
from opentelemetry.exporter.prometheus_remote_write.model.remote_write import Exemplar
from opentelemetry.exporter.prometheus_remote_write.model.stale_marker import is_stale
from opentelemetry.exporter.prometheus_remote_write.model.timestamps import LATEST
from opentelemetry.exporter.prometheus_remote_write.proto import write_v1_pb2 as v1
from opentelemetry.exporter.prometheus_remote_write.proto import write_v2_pb2 as v2
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from opentelemetry.exporter.prometheus_remote_write.receiver.decoding import decode
from opentelemetry.exporter.prometheus_remote_write.translation.dropped_points import DroppedPoints
from opentelemetry.exporter.prometheus_remote_write.translation.translator import Translator
from tests.collected import NOW, collected, gauge, histogram, histogram_point, point
from tests.encoding.exports import floats, gauge_family, sequences, stream, streams
from tests.family_samples import read
from tests.thoroughness import scaled

ENCODERS = {"1.0": RemoteWrite1, "2.0": RemoteWrite2}
MESSAGES = {"1.0": v1.WriteRequest, "2.0": v2.Request}
MARKER = struct.pack("<Q", 0x7FF0000000000002)
LEVEL = gauge_family()
SIZE = gauge_family("size", native=True)


def message(load):
    return b"".join(load.pieces)


def markers(loads, protocol="1.0"):
    """The series that are marked, by name and labels, and when; every other sample is none."""
    found = {}
    for load in loads:
        for series in decode(protocol, message(load)).series:
            for value, at in [
                *((sample.value, sample.timestamp) for sample in series.samples),
                *((native.sum, native.timestamp) for native in series.histograms),
            ]:
                if is_stale(value):
                    assert series.labels not in found
                    found[series.labels] = at
    return found


def level(at):
    return (("__name__", "level"), ("at", at))


@pytest.fixture(params=ENCODERS)
def protocol(request):
    return request.param


@pytest.fixture
def batches(protocol):
    return Batches(ENCODERS[protocol], 100, stale_markers=True)


# --- what a marker is ---


def test_a_marker_has_exactly_its_bits(protocol):
    family_samples = marked(LEVEL, streams("a", "b"), NOW)
    [load] = Batches(ENCODERS[protocol], 100).encode([family_samples])
    encoded = message(load)
    assert encoded.count(b"\x09" + MARKER) == 2
    [first, second] = MESSAGES[protocol].FromString(encoded).timeseries
    assert {struct.pack("<d", series.samples[0].value) for series in (first, second)} == {MARKER}
    assert {series.samples[0].timestamp for series in (first, second)} == {NOW}


def test_the_marker_of_a_native_histogram_is_its_sum(protocol):
    [load] = Batches(ENCODERS[protocol], 100).encode([marked(SIZE, streams("a"), NOW)])
    [series] = MESSAGES[protocol].FromString(message(load)).timeseries
    assert not series.samples
    [native] = series.histograms
    assert struct.pack("<d", native.sum) == MARKER
    assert native.timestamp == NOW


# --- which series are marked, and when ---


def test_a_series_is_marked_when_it_disappears_at_the_time_of_the_export(batches, protocol):
    first, second, third = streams("a", "b", "c")
    assert markers(batches.encode([floats(LEVEL, [first, second, third])]), protocol) == {}
    later = floats(LEVEL, [second], timestamps=NOW + 1000)
    assert markers(batches.encode([later]), protocol) == {level("a"): NOW + 1000, level("c"): NOW + 1000}
    assert markers(batches.encode([later]), protocol) == {}


def test_a_series_that_came_back_is_marked_when_it_disappears_again(batches, protocol):
    present, gone = floats(LEVEL, streams("a")), floats(gauge_family("other"), streams("x"), timestamps=NOW + 5)
    for _ in range(2):
        assert markers(batches.encode([present, gone]), protocol) == {}
        assert markers(batches.encode([gone]), protocol) == {level("a"): NOW + 5}


def test_a_family_that_disappears_is_marked(batches, protocol):
    other = floats(gauge_family("other"), streams("x"), timestamps=NOW + 5)
    list(batches.encode([floats(LEVEL, streams("a", "b")), other]))
    assert markers(batches.encode([other]), protocol) == {level("a"): NOW + 5, level("b"): NOW + 5}


def test_a_marker_is_later_than_the_last_sample_of_its_series(batches, protocol):
    early, late = streams("early", "late")
    other = floats(gauge_family("other"), streams("x"))
    list(batches.encode([floats(LEVEL, [early, late], timestamps=[NOW - 9, NOW + 7]), other]))
    assert markers(batches.encode([other]), protocol).keys() == {level("early"), level("late")}
    list(batches.encode([floats(LEVEL, [late], timestamps=NOW + 7), other]))
    assert markers(batches.encode([other]), protocol) == {level("late"): NOW + 8}


def test_in_the_end_all_series_are_marked(batches, protocol):
    list(batches.encode([floats(LEVEL, streams("a", "b")), floats(gauge_family("other"), streams("x"))]))
    assert set(markers(batches.encode([], NOW + 50), protocol).values()) == {NOW + 50}
    assert list(batches.encode([], NOW + 60)) == []
    assert not batches._placements
    assert not batches._newest
    assert not any(room.batch._held for rooms in batches._open.values() for room in rooms)


def test_exemplars_say_the_same_where_most_of_their_request_is_marked(batches, protocol):
    exemplars = {0: (Exemplar((("trace_id", "0" * 32), ("user", "alice")), 1.0, NOW),)}
    hits = gauge_family("hits")
    those = streams("a")
    said = []
    for gone in (streams(*map(str, range(20))), []):
        all_samples = [floats(hits, those)._replace(exemplars=exemplars)] + [floats(LEVEL, gone)] * bool(gone)
        [load] = batches.encode(all_samples, NOW)
        said += [each.exemplars for each in decode(protocol, message(load)).series if each.exemplars]
    assert said == [exemplars[0]] * 2


def test_a_series_that_only_starts_anew_is_not_marked(batches, protocol):
    [before] = streams("a")
    list(batches.encode([floats(LEVEL, [before])]))
    assert markers(batches.encode([floats(LEVEL, [stream(before.labels, NOW)])]), protocol) == {}


def test_a_series_that_goes_on_in_another_family_is_not_marked(batches, protocol):
    list(batches.encode([floats(LEVEL, streams("a", "b"))]))
    described = gauge_family()
    assert markers(batches.encode([floats(described, streams("b"))]), protocol) == {level("a"): NOW + 1}


def test_series_that_have_changed_places_are_not_marked(protocol):
    batches = Batches(ENCODERS[protocol], 2, stale_markers=True)
    those = streams(*"abcdef")
    list(batches.encode([floats(LEVEL, those)]))
    for number in range(6):
        others = those[number:] + those[:number]
        assert markers(batches.encode([floats(LEVEL, others)]), protocol) == {}


def test_series_taken_over_from_another_encoder_are_marked_when_they_are_gone(protocol):
    before = Batches(RemoteWrite2, 100, stale_markers=True)
    list(before.encode([floats(LEVEL, streams("a", "b", "c"))]))
    batches = Batches(ENCODERS[protocol], 1, stale_markers=True)
    batches.take_over(before)
    again = floats(gauge_family(), streams("a", "c"), timestamps=NOW + 5)
    assert markers(batches.encode([again]), protocol) == {level("b"): NOW + 5}


def test_without_the_setting_nothing_is_marked(protocol):
    batches = Batches(ENCODERS[protocol], 100)
    list(batches.encode([floats(LEVEL, streams("a", "b"))]))
    assert markers(batches.encode([floats(LEVEL, streams("b"))]), protocol) == {}
    assert list(batches.encode([], NOW + 5)) == []


@pytest.mark.parametrize("protocol", ENCODERS)
@settings(max_examples=scaled(50))
@given(sequences(max_exports=6), st.sampled_from([1, 2, 5, 100]))
def test_whatever_comes_and_goes_the_marked_are_those_that_went(protocol, exports, max_samples):
    batches = Batches(ENCODERS[protocol], max_samples, stale_markers=True)
    before = {}
    for all_samples in [*exports, []]:
        loads = [load._replace(pieces=[*load.pieces]) for load in batches.encode(all_samples, 1)]
        now = {tuple(sorted(series.labels.items())): series.timestamp for series in read(all_samples)}
        in_requests = [decode(protocol, message(load)).series for load in loads]
        stale = {labels: at for labels, at in markers(loads, protocol).items() if labels not in now}
        assert stale.keys() == before.keys() - now.keys()
        assert all(at > min(before[labels], LATEST - 1) for labels, at in stale.items())
        assert sum(map(len, in_requests)) == len(now) + len(stale)
        for load, series in zip(loads, in_requests, strict=True):
            assert load.samples == sum(len(each.samples) for each in series)
            assert load.histograms == sum(len(each.histograms) for each in series)
            of_streams = {
                tuple(label for label in each.labels if label[0] not in {"__name__", "le"}) for each in series
            }
            assert load.samples + load.histograms <= max_samples or len(of_streams) == 1
        before = now


# --- with metrics that change ---


def translated(*exports):
    """What is marked in each export of metrics, by name and le."""
    translator = Translator(Settings(disable_target_info=True), DroppedPoints())
    batches = Batches(RemoteWrite1, 100, stale_markers=True)
    return [
        {
            name + (f" {labels['le']}" if (labels := dict(key)).get("le") else "")
            for key in markers(batches.encode(translator.translate(collected(*metrics))))
            for name in [dict(key)["__name__"]]
        }
        for metrics in exports
    ]


def test_of_a_histogram_with_other_bounds_only_the_buckets_that_are_gone_are_marked():
    before, after = histogram_point((1, 1, 1), (1.0, 2.0)), histogram_point((1, 1, 1), (1.0, 3.0))
    assert translated([histogram(before)], [histogram(after)], [gauge()]) == [
        set(),
        {"latency_bucket 2"},
        {f"latency_bucket {bound}" for bound in ("1", "3", "+Inf")} | {"latency_count", "latency_sum"},
    ]


def test_a_point_that_is_refused_once_is_marked_and_comes_back():
    good, bad = point(1.0, {"at": "a"}), point("text", {"at": "a"})
    other = gauge(name="other")
    assert translated([gauge(good), other], [gauge(bad), other], [gauge(good), other]) == [set(), {"level"}, set()]


# --- with the SDK ---


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


class Application:
    """An SDK with instruments of each kind, and an exporter that exports what it has collected when it is told."""

    def __init__(self, url, **given):
        aggregations = given.pop("aggregations", None)
        self.exporter = PrometheusRemoteWriteMetricsExporter(
            endpoint=url, stale_markers=given.pop("stale_markers", True), preferred_aggregation=aggregations, **given
        )
        self._reader = InMemoryMetricReader(preferred_aggregation=self.exporter._preferred_aggregation)
        resource = Resource({"service.name": "shop", "host.name": "h1"})
        self._provider = MeterProvider([self._reader], resource, shutdown_on_exit=False)
        meter = self._provider.get_meter("tests")
        meter.create_counter("hits").add(1)
        meter.create_histogram("latency").record(1)
        self.rooms = ["kitchen", "hall"]
        meter.create_observable_gauge("warmth", [lambda _: [Observation(20.5, {"room": room}) for room in self.rooms]])

    def export(self):
        return self.exporter.export(self._reader.get_metrics_data()).name

    def shut_down(self):
        self.exporter.shutdown()
        self._provider.shutdown()


def last_values(receiver):
    """Whether the last value of each series is a marker, by labels."""
    found = {}
    for request in receiver.received:
        for series in request.series:
            values = [sample.value for sample in series.samples] or [native.sum for native in series.histograms]
            found[series.labels] = is_stale(values[-1])
    return found


@pytest.mark.parametrize("protocol", ["1.0", "2.0", "auto"])
@pytest.mark.parametrize("aggregations", [{}, {Histogram: ExponentialBucketHistogramAggregation()}])
def test_at_shutdown_every_series_is_marked_target_info_too(receiver, protocol, aggregations):
    application = Application(receiver.url, protocol=protocol, aggregations=aggregations)
    assert application.export() == "SUCCESS"
    assert not any(last_values(receiver).values())
    application.shut_down()
    series = last_values(receiver)
    assert all(series.values())
    names = {dict(labels)["__name__"] for labels in series}
    assert {"target_info", "hits_total", "warmth"} < names
    assert receiver.rejected == []


def test_a_stream_that_is_no_longer_reported_is_marked_the_others_are_not(receiver):
    application = Application(receiver.url)
    application.export()
    application.rooms.remove("hall")
    application.export()
    assert {dict(labels).get("room") for labels, ended in last_values(receiver).items() if ended} == {"hall"}
    application.rooms.append("hall")
    application.export()
    assert not any(last_values(receiver).values())
    application.shut_down()
    assert receiver.rejected == []


def test_a_receiver_of_1_0_gets_markers_of_what_was_first_encoded_in_2_0():
    def only_1_0(request):
        return ScriptedAnswer(415) if "proto=" in request.headers["Content-Type"] else None

    with Receiver(answers=only_1_0) as receiver:
        application = Application(receiver.url)
        assert application.export() == "SUCCESS"
        application.rooms.remove("hall")
        assert application.export() == "SUCCESS"
        assert {dict(labels).get("room") for labels, ended in last_values(receiver).items() if ended} == {"hall"}
        application.shut_down()
        assert all(last_values(receiver).values())


def test_without_the_setting_the_exporter_marks_nothing(receiver):
    application = Application(receiver.url, stale_markers=False)
    application.export()
    requests = len(receiver.received)
    application.shut_down()
    assert len(receiver.received) == requests


def test_a_second_shutdown_says_nothing_more(receiver):
    application = Application(receiver.url)
    application.export()
    application.shut_down()
    requests = len(receiver.received)
    application.exporter.shutdown()
    assert len(receiver.received) == requests


def test_an_exporter_that_sent_nothing_has_nothing_to_mark(receiver):
    Application(receiver.url).shut_down()
    assert receiver.received == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_does_not_mark_the_series_of_its_parent(receiver):
    application = Application(receiver.url)
    application.export()
    before = len(receiver.received)
    child = os.fork()
    if not child:
        try:
            application.exporter.shutdown()
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert len(receiver.received) == before
    application.shut_down()
    assert all(last_values(receiver).values())
