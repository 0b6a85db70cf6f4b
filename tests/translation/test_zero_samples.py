"""A counter or a histogram that is new stands at zero first, where that is certain."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation
from opentelemetry.sdk.resources import Resource

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.configuration.aggregation import aggregation
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.encoding.batches import Batches
from opentelemetry.exporter.prometheus_remote_write.encoding.remote_write_1 import RemoteWrite1
from opentelemetry.exporter.prometheus_remote_write.encoding.remote_write_2 import RemoteWrite2
from opentelemetry.exporter.prometheus_remote_write.errors import Untranslatable
from opentelemetry.exporter.prometheus_remote_write.model.remote_write import MetricType
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from opentelemetry.exporter.prometheus_remote_write.receiver.decoding import decode
from opentelemetry.exporter.prometheus_remote_write.translation.dropped_points import DroppedPoints
from opentelemetry.exporter.prometheus_remote_write.translation.points import NumberPoints
from opentelemetry.exporter.prometheus_remote_write.translation.translator import Translator
from opentelemetry.exporter.prometheus_remote_write.translation.zero_samples import ZeroSamples
from tests.collected import (
    NOW,
    collected,
    counter,
    exponential_histogram,
    exponential_point,
    gauge,
    histogram,
    histogram_point,
    nanoseconds,
    point,
    up_down_counter,
)
from tests.descriptors import described
from tests.encoding.exports import bits, sequences
from tests.family_samples import read
from tests.thoroughness import scaled

ENCODERS = {"1.0": RemoteWrite1, "2.0": RemoteWrite2}
SECOND, MINUTE = 1_000, 60_000
LATER = NOW + MINUTE


# --- when there is a zero sample ---


@pytest.mark.parametrize(
    ("start", "time", "zero_sample"),
    [
        pytest.param(5, 9, 5, id="it began after the exporter and before the sample"),
        pytest.param(0, 9, 0, id="it began with the exporter"),
        pytest.param(-1e-6, 9, None, id="it began a nanosecond before the exporter"),
        pytest.param(9, 9, None, id="it began with the sample"),
        pytest.param(10, 9, None, id="it began after the sample"),
        pytest.param(9.1, 9.9, 8, id="it began in the sample's own millisecond"),
        pytest.param(1, 1 + 30 * MINUTE, 1, id="it began half an hour ago"),
        pytest.param(1, 2 + 30 * MINUTE, None, id="it began longer ago"),
        pytest.param(None, 9, None, id="its start is not known"),
    ],
)
def test_a_stream_has_a_zero_sample_where_its_beginning_is_certain(start, time, zero_sample):
    """Times are milliseconds after that when the exporter began."""
    began = nanoseconds(NOW)
    start_of_sample = None if start is None else began + round(start * 1_000_000)
    sample = NumberDataPoint({}, start_of_sample, began + round(time * 1_000_000), 1.0)
    assert ZeroSamples(began).zero_sample(sample) == (None if zero_sample is None else NOW + zero_sample)


@pytest.mark.parametrize(
    ("start", "zero_sample"),
    [
        pytest.param(LATER + 1, LATER + 1, id="after the newest sample"),
        pytest.param(LATER, None, id="in the millisecond of the newest sample"),
        pytest.param(LATER - 1, None, id="before the newest sample"),
    ],
)
def test_a_stream_that_may_have_been_there_in_an_earlier_export_has_none(start, zero_sample):
    zero_samples = ZeroSamples(nanoseconds(NOW))
    zero_samples.note(LATER)
    zero_samples.end_export()
    assert zero_samples.zero_sample(point(start=start, at=LATER + MINUTE)) == zero_sample


@pytest.mark.parametrize("time", [None, "now", -1, 2**80])
def test_a_time_that_is_none_is_no_zero_sample_but_an_error(time):
    with pytest.raises(Untranslatable, match="nanoseconds"):
        ZeroSamples(0).zero_sample(NumberDataPoint({}, nanoseconds(NOW), time, 1.0))


# --- which streams have one ---


class Translation:
    """A translator that began at NOW."""

    def __init__(self, **settings):
        self._zero_samples = ZeroSamples(nanoseconds(NOW))
        self.dropped = DroppedPoints()
        self.translator = Translator(Settings(**settings), self.dropped, zero_samples=self._zero_samples)

    def zero_samples(self, *metrics, lost=False):
        """The zero samples of an export by metric and attribute, and whether the receiver was not there for it."""
        all_samples = list(
            self.translator.translate(collected(*metrics, resource={"service.name": "shop", "host": "h"}))
        )
        self._zero_samples.end_export(lost=lost)
        return {
            (family_samples.family.metric, dict(family_samples.streams[position].labels).get("at", "")): at
            for family_samples in all_samples
            for position, at in family_samples.zero_samples.items()
        }


def born(at, start=NOW + SECOND, **fields):
    return {"attributes": {"at": at} if at else {}, "start": start, "at": LATER, **fields}


def test_counters_and_histograms_have_zero_samples_and_nothing_else_has():
    translation = Translation(histogram_min_max=True)
    zero_samples = translation.zero_samples(
        counter(point(**born("a")), point(**born("b", NOW + 2 * SECOND))),
        histogram(histogram_point(**born(""))),
        exponential_histogram(exponential_point(**born(""))),
        gauge(point(**born(""))),
        up_down_counter(point(**born(""))),
    )
    assert zero_samples == {
        ("hits", "a"): NOW + SECOND,
        ("hits", "b"): NOW + 2 * SECOND,
        ("latency", ""): NOW + SECOND,
        ("size", ""): NOW + SECOND,
    }


def test_a_stream_has_its_zero_sample_once():
    translation = Translation()
    first = point(**born("a"))
    assert translation.zero_samples(counter(first)) == {("hits", "a"): NOW + SECOND}
    assert translation.zero_samples(counter(first)) == {}
    after = NOW + MINUTE + SECOND
    second = point(**born("b", after) | {"at": LATER + MINUTE})
    assert translation.zero_samples(counter(first, second)) == {("hits", "b"): after}
    assert translation.zero_samples(counter(second, first)) == {}


def test_a_stream_that_starts_anew_has_another_zero_sample():
    translation = Translation()
    attributes = {"at": "a"}
    translation.zero_samples(counter(point(1.0, attributes, start=NOW + SECOND, at=LATER)))
    again = point(1.0, attributes, start=LATER + SECOND, at=LATER + MINUTE)
    assert translation.zero_samples(counter(again)) == {("hits", "a"): LATER + SECOND}
    overlapping = point(1.0, attributes, start=LATER + SECOND + 1, at=LATER + 2 * MINUTE)
    assert translation.zero_samples(counter(overlapping)) == {}


def test_a_stream_that_was_away_has_no_other_zero_sample():
    translation = Translation()
    first, other = point(**born("a")), gauge(point(at=LATER))
    assert translation.zero_samples(counter(first), other)
    assert translation.zero_samples(other) == {}
    assert translation.zero_samples(counter(first), other) == {}


def test_a_point_that_is_left_out_takes_no_zero_sample_from_another():
    translation = Translation()
    bad = point("text", **born("bad"))
    assert translation.zero_samples(counter(bad, point(**born("good")))) == {("hits", "good"): NOW + SECOND}
    assert translation.dropped.points.total() == 1


def test_without_the_switch_there_are_no_zero_samples():
    all_samples = list(Translator(Settings(), DroppedPoints()).translate(collected(counter(point(**born("a"))))))
    assert not any(family_samples.zero_samples for family_samples in all_samples)


def test_a_zero_sample_that_was_lost_goes_out_with_the_next_export():
    translation = Translation()
    first = point(**born("a"))
    with_first = {("hits", "a"): NOW + SECOND}
    assert translation.zero_samples(counter(first), lost=True) == with_first
    second = point(**born("b", LATER + SECOND) | {"at": LATER + MINUTE})
    with_both = {**with_first, ("hits", "b"): LATER + SECOND}
    assert translation.zero_samples(counter(first, second), lost=True) == with_both
    assert translation.zero_samples(counter(first, second)) == with_both
    assert translation.zero_samples(counter(first, second)) == {}


def test_the_zero_samples_of_all_families_that_were_lost_go_out_with_the_next_export():
    translation = Translation()
    metrics = counter(point(**born("a"))), histogram(histogram_point(**born("b")))
    both = {("hits", "a"): NOW + SECOND, ("latency", "b"): NOW + SECOND}
    assert translation.zero_samples(*metrics, lost=True) == both
    assert translation.zero_samples(*metrics) == both


def test_a_zero_sample_that_was_not_lost_does_not_go_out_again_with_one_that_was():
    translation = Translation()
    first, second = point(**born("a")), point(**born("b", LATER + SECOND) | {"at": LATER + MINUTE})
    assert translation.zero_samples(counter(first))
    assert translation.zero_samples(counter(first, second), lost=True) == {("hits", "b"): LATER + SECOND}
    assert translation.zero_samples(counter(first, second)) == {("hits", "b"): LATER + SECOND}


def test_a_stream_that_starts_anew_after_its_zero_sample_was_lost_has_the_new_one():
    translation = Translation()
    assert translation.zero_samples(counter(point(**born("a"))), lost=True)
    anew = point(**born("a", LATER + SECOND) | {"at": LATER + MINUTE})
    assert translation.zero_samples(counter(anew)) == {("hits", "a"): LATER + SECOND}


def test_a_zero_sample_that_was_lost_is_not_kept_until_it_is_old():
    translation = Translation()
    first = point(**born("a"))
    assert translation.zero_samples(counter(first), lost=True)
    long_after = gauge(point(at=LATER + 30 * MINUTE))
    assert translation.zero_samples(counter(first), long_after, lost=True)
    assert translation.zero_samples(counter(first)) == {}


# --- how it travels ---


@st.composite
def begun(draw):
    """Exports in which some streams have a zero sample."""
    return [
        [
            family_samples._replace(
                zero_samples=draw(st.dictionaries(positions(family_samples), st.integers(1, NOW), max_size=3))
            )
            for family_samples in all_samples
        ]
        for all_samples in draw(sequences())
    ]


def positions(family_samples):
    return st.integers(0, len(family_samples.streams) - 1)


def said(all_samples, protocol):
    """For each series of family samples the times, starts and bits of its samples, or of its histograms."""
    found = {}
    for family_samples in all_samples:
        for position, series in enumerate(read([family_samples])):
            start = series.start if protocol == "2.0" else 0
            native = family_samples.family.native
            values = [(series.timestamp, start, bits(series.value.sum if native else series.value))]
            if zero_sample := family_samples.zero_samples.get(position // len(family_samples.family.names)):
                values.insert(0, (zero_sample, min(start, zero_sample), bits(0.0)))
            found[tuple(sorted(series.labels.items()))] = values
    return found


def received(series):
    return {
        each.labels: [
            *((sample.timestamp, sample.start_timestamp, bits(sample.value)) for sample in each.samples),
            *((native.timestamp, native.start_timestamp, bits(native.sum)) for native in each.histograms),
        ]
        for each in series
    }


@pytest.mark.parametrize("protocol", ENCODERS)
@settings(max_examples=scaled(50))
@given(begun(), st.sampled_from([1, 2, 3, 5, 100]))
def test_a_zero_sample_comes_before_its_sample_and_requests_stay_in_size(protocol, exports, max_samples):
    batches = Batches(ENCODERS[protocol], max_samples)
    for all_samples in exports:
        loads = list(batches.encode(all_samples))
        in_requests = [decode(protocol, b"".join(load.pieces)).series for load in loads]
        assert received(series for request in in_requests for series in request) == said(all_samples, protocol)
        assert sum(map(len, in_requests)) == len(said(all_samples, protocol))
        for load, series in zip(loads, in_requests, strict=True):
            assert load.samples == sum(len(each.samples) for each in series)
            assert load.histograms == sum(len(each.histograms) for each in series)
            assert load.exemplars == sum(len(each.exemplars) for each in series)
            streams = {tuple(label for label in each.labels if label[0] not in {"__name__", "le"}) for each in series}
            assert load.samples + load.histograms <= max_samples or len(streams) == 1


@pytest.mark.parametrize("protocol", ENCODERS)
@settings(max_examples=scaled(25))
@given(begun())
def test_a_zero_sample_leaves_nothing_behind(protocol, exports):
    batches, fresh = Batches(ENCODERS[protocol], 5), Batches(ENCODERS[protocol], 5)
    for all_samples in exports:
        plain = [family_samples._replace(zero_samples={}) for family_samples in all_samples]
        list(batches.encode(all_samples))
        list(fresh.encode(plain))
        assert [b"".join(load.pieces) for load in batches.encode(plain)] == [
            b"".join(load.pieces) for load in fresh.encode(plain)
        ]


# --- with the SDK ---


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


class Application:
    """An SDK, and an exporter that exports what it has collected when it is told."""

    def __init__(self, url, *, aggregations=None, **settings):
        self.exporter = PrometheusRemoteWriteMetricsExporter(
            endpoint=url, preferred_aggregation=aggregations, disable_target_info=True, **settings
        )
        self._reader = InMemoryMetricReader(self.exporter._preferred_temporality, self.exporter._preferred_aggregation)
        self._provider = MeterProvider([self._reader], Resource({"service.name": "shop"}), shutdown_on_exit=False)
        self.meter = self._provider.get_meter("tests")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._provider.shutdown()
        self.exporter.shutdown()

    def export(self, timeout_millis=60_000):
        """Collect and export; what is new afterwards begins in a later millisecond."""
        result = self.exporter.export(self._reader.get_metrics_data(), timeout_millis).name
        later = time.time_ns() + 2_000_000
        while time.time_ns() < later:
            pass
        return result


@pytest.mark.parametrize("protocol", ["1.0", "2.0", "auto"])
def test_a_counter_stands_at_zero_when_it_starts(receiver, protocol):
    with Application(receiver.url, protocol=protocol) as application:
        hits = application.meter.create_counter("hits")
        hits.add(42, {"page": "old"})
        assert application.export() == "SUCCESS"
        hits.add(1, {"page": "old"})
        hits.add(7, {"page": "new"})
        assert application.export() == "SUCCESS"
    assert receiver.values("hits_total", page="old") == [0, 42, 43]
    assert receiver.values("hits_total", page="new") == [0, 7]
    assert receiver.rejected == []


@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
def test_a_classic_histogram_has_zero_in_all_its_series(receiver, protocol):
    with Application(receiver.url, protocol=protocol, histogram_boundaries=(1, 10)) as application:
        application.meter.create_histogram("latency").record(5)
        assert application.export() == "SUCCESS"
    assert {
        (series.name, series.label("le")): [sample.value for sample in series.samples]
        for request in receiver.received
        for series in request.series
    } == {
        ("latency_bucket", "1"): [0, 0],
        ("latency_bucket", "10"): [0, 1],
        ("latency_bucket", "+Inf"): [0, 1],
        ("latency_sum", ""): [0, 5],
        ("latency_count", ""): [0, 1],
    }


@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
def test_a_native_histogram_is_empty_first_in_the_same_schema(receiver, protocol):
    aggregations = {Histogram: ExponentialBucketHistogramAggregation()}
    with Application(receiver.url, protocol=protocol, aggregations=aggregations) as application:
        latency = application.meter.create_histogram("latency")
        latency.record(5)
        latency.record(7000)
        assert application.export() == "SUCCESS"
    [series] = receiver.series("latency")
    empty, full = series.histograms
    assert (empty.count, empty.sum, empty.positive_spans, empty.zero_count) == (0, 0, (), 0)
    assert (empty.schema, empty.zero_threshold) == (full.schema, full.zero_threshold)
    assert (full.count, full.sum) == (2, 7005)


def test_a_histogram_with_custom_buckets_is_empty_first_with_the_same_bounds(receiver):
    with Application(receiver.url, protocol="2.0", convert_histograms_to_nhcb=True) as application:
        application.meter.create_histogram("latency", explicit_bucket_boundaries_advisory=[1, 10]).record(5)
        assert application.export() == "SUCCESS"
    [series] = receiver.series("latency")
    assert [(each.count, each.custom_bounds) for each in series.histograms] == [(0, (1, 10)), (1, (1, 10))]


@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
def test_an_observable_counter_has_no_zero_sample_for_it_may_have_counted_long_before(receiver, protocol):
    with Application(receiver.url, protocol=protocol) as application:
        late = []
        total = lambda _: [Observation(1000, {"at": "first"}), *late]  # noqa: E731 - a callback
        application.meter.create_observable_counter("cpu", [total])
        assert application.export() == "SUCCESS"
        late.append(Observation(500, {"at": "second"}))
        assert application.export() == "SUCCESS"
    assert receiver.values("cpu_total", at="first") == [1000, 1000]
    assert receiver.values("cpu_total", at="second") == [500]
    assert {sample.start_timestamp for sample in receiver.samples("cpu_total", at="first")} == {0}


def test_the_sdk_takes_the_first_report_of_an_observable_counter_for_its_start():
    """Why observable counters need an aggregation of ours: by the SDK's times they cannot be told from new ones."""

    def times(preferred):
        reader = InMemoryMetricReader(preferred_aggregation=preferred)
        provider = MeterProvider([reader], shutdown_on_exit=False)
        provider.get_meter("tests").create_observable_counter("cpu", [lambda _: [Observation(1000)]])
        [metric] = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
        provider.shutdown()
        [sample] = metric.data.data_points
        return sample.start_time_unix_nano, sample.time_unix_nano

    start, time = times({})
    assert 0 < start <= time
    assert times(aggregation(Settings(), None))[0] == 0


def test_it_can_be_switched_off(receiver):
    with Application(receiver.url, disable_zero_samples=True) as application:
        application.meter.create_counter("hits").add(42)
        assert application.export() == "SUCCESS"
    assert receiver.values("hits_total") == [42]


def test_what_was_counted_before_the_exporter_was_there_has_none(receiver):
    with Application(receiver.url) as early:
        early.meter.create_counter("hits").add(42)
        with Application(receiver.url) as late:
            late.exporter.export(early._reader.get_metrics_data())
    assert receiver.values("hits_total") == [42]


def test_requests_hold_no_more_samples_for_their_zero_samples(receiver):
    with Application(receiver.url, max_samples_per_send=10, protocol="1.0") as application:
        hits = application.meter.create_counter("hits")
        for number in range(25):
            hits.add(1, {"number": number})
        application.export()
        application.export()
    sizes = [sum(len(series.samples) for series in request.series) for request in receiver.received]
    assert max(sizes) <= 10
    assert sum(sizes) == 75
    assert [receiver.values("hits_total", number=str(number)) for number in range(25)] == [[0, 1, 1]] * 25


@pytest.mark.parametrize(
    ("status", "settings", "values"),
    [
        pytest.param(503, {"max_buffered_bytes": 0}, [0, 2], id="it was not there and nothing is kept"),
        pytest.param(503, {}, [0, 1, 2], id="it was not there and the export is kept"),
        pytest.param(403, {"max_buffered_bytes": 0}, [2], id="it refused the export"),
    ],
)
def test_a_zero_sample_is_not_lost_on_a_receiver_that(status, settings, values):
    is_well = False
    with Receiver(answers=lambda _: None if is_well else ScriptedAnswer(status)) as receiver:
        # One attempt only: a retry that ends with the deadline might still be answered.
        with Application(
            receiver.url, protocol="1.0", min_backoff=120_000, max_backoff=120_000, **settings
        ) as application:
            hits = application.meter.create_counter("hits")
            hits.add(1)
            assert application.export() == "FAILURE"
            is_well = True
            hits.add(1)
            application.export()
        assert receiver.values("hits_total") == values


def test_zero_samples_of_what_is_never_sent_are_not_remembered():
    points = NumberPoints(described(lambda _: None)._replace(zero_samples=ZeroSamples(0)), MetricType.COUNTER)
    for export in range(3):
        unsound = point(object(), {"at": "a"}, start=NOW + export, at=NOW + export + 1)
        assert list(points.translate([unsound])) == []
        assert not points._streams._new


def test_the_zero_sample_of_a_stream_whose_series_another_has_is_not_remembered():
    descriptor = described(lambda _: None)._replace(zero_samples=ZeroSamples(0))
    first, second = NumberPoints(descriptor, MetricType.COUNTER), NumberPoints(descriptor, MetricType.COUNTER)
    new = [point(1, {"at": "a"}, start=NOW, at=NOW + 1)]
    [family_samples] = first.translate(new)
    assert family_samples.zero_samples == {0: NOW}
    assert list(second.translate(new)) == []
    assert not second._streams._new


def test_a_data_point_without_a_time_takes_no_series_from_another():
    refused = []
    points = NumberPoints(described(refused.append)._replace(zero_samples=ZeroSamples(0)), MetricType.COUNTER)
    timeless, sound = point(1, {"a.b": "1"}, start=NOW), point(2, {"a_b": "1"}, start=NOW, at=NOW + 1)
    [family_samples] = points.translate([replace(timeless, time_unix_nano=-1), sound])
    assert list(family_samples.values) == [2]
    assert [error.reason for error in refused] == ["timestamp"]
