"""What is remembered between exports changes nothing about what is sent, and does not grow."""

import gc
import sys
import threading
import tracemalloc
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult, MetricsData

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.encoding.encoder import Encoder
from opentelemetry.exporter.prometheus_remote_write.encoding.remote_write_1 import _labels
from opentelemetry.exporter.prometheus_remote_write.encoding.remote_write_2 import _opening_with_start
from opentelemetry.exporter.prometheus_remote_write.model.family import Family, Stream
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from opentelemetry.exporter.prometheus_remote_write.receiver.decoding import decode
from opentelemetry.exporter.prometheus_remote_write.translation.dropped_points import DroppedPoints
from opentelemetry.exporter.prometheus_remote_write.translation.translator import Translator
from tests.collected import (
    NOW,
    START,
    collected,
    counter,
    exponential_histogram,
    exponential_point,
    gauge,
    histogram,
    histogram_point,
    of_resource,
    point,
    scope,
)


class Pipeline:
    """Translation and encoding, as an exporter has them: what they make of one export after another."""

    def __init__(self, protocol, max_samples=2000):
        settings = Settings(endpoint="http://prometheus", disable_scope_labels=True)
        self.dropped = DroppedPoints()
        self.protocol = protocol
        self._translator = Translator(settings, self.dropped)
        self._encoder = Encoder(protocol, max_samples, b"".join)

    def bodies(self, data):
        return [request.body for request in self._encoder.encode(self._translator.translate(data))]

    def registered(self):
        """How many series each metric has under the limit."""
        registry = (self._translator.registry, self._translator._unlimited)
        return {metric: number for each in registry for metric, number in each.usage.series.items()}

    def series(self, data):
        """Everything that is said of each series, but for target_info."""
        found = {}
        for body in self.bodies(data):
            for series in decode(self.protocol, body).series:
                assert series.labels not in found
                if series.name != "target_info":
                    found[series.labels] = repr((series.samples, series.histograms, series.exemplars, series.metadata))
        return found

    def values(self, data, label):
        """The values of floats, by the value of a label."""
        return {
            series.label(label): series.samples[0].value
            for body in self.bodies(data)
            for series in decode(self.protocol, body).series
            if series.name != "target_info"
        }


@pytest.fixture(params=["1.0", "2.0"])
def pipeline(request):
    return Pipeline(request.param)


# --- nothing is known by what can be reused for something else ---


def test_attributes_at_the_address_of_others_are_not_taken_for_them(pipeline):
    used: set[int] = set()
    again = 0
    for export in range(40):  # so many, because the memory of most is taken by what is remembered of sets
        # Of many new objects those that are where others were before: the memory of those is free, or else the cache
        # still has them.
        fresh = sorted(({} for _ in range(1000)), key=lambda attributes: id(attributes) not in used)[:50]
        again += sum(id(attributes) in used for attributes in fresh)
        used.update(map(id, fresh))
        expected = {}
        for number, attributes in enumerate(fresh):
            attributes["number"] = f"{export}-{number}"
            expected[attributes["number"]] = number
        points = [point(number, attributes) for number, attributes in enumerate(fresh)]
        assert pipeline.values(collected(gauge(*points)), "number") == expected
        del fresh, points, attributes
        gc.collect()
    assert again > 200, "hardly an address was used again: this test has shown nothing"


def test_a_metric_at_the_address_of_another_is_not_taken_for_it(pipeline):
    for number in range(100):
        data = collected(gauge(point(number), name=f"metric_{number}"), counter(point(number), name=f"c_{number}"))
        assert {dict(labels)["__name__"] for labels in pipeline.series(data)} == {
            f"metric_{number}",
            f"c_{number}_total",
        }
        del data


# --- a producer other than the SDK ---


def test_attributes_may_be_changed_in_place(pipeline):
    attributes = {"number": "0"}
    for number in range(5):
        attributes["number"] = str(number)
        assert pipeline.values(collected(gauge(point(number, attributes))), "number") == {str(number): number}


def test_a_list_among_the_attributes_may_be_changed_in_place(pipeline):
    attributes = {"list": []}
    for number in range(3):
        attributes["list"].append(number)
        expected = "[" + ",".join(map(str, range(number + 1))) + "]"
        assert pipeline.values(collected(gauge(point(number, attributes))), "list") == {expected: number}


EQUAL_BUT_READ_DIFFERENTLY = [(1, True, "true"), (0.0, False, "false"), (0.0, -0.0, "-0")]


@pytest.mark.parametrize(("before", "after", "text"), EQUAL_BUT_READ_DIFFERENTLY)
def test_equal_values_of_new_attributes_are_told_apart(before, after, text):
    pipeline = Pipeline("2.0")
    pipeline.bodies(collected(gauge(point(1, {"value": before}))))
    assert pipeline.values(collected(gauge(point(2, {"value": after}))), "value") == {text: 2}


def test_attributes_of_two_streams_may_be_exchanged(pipeline):
    a, b = {"at": "a"}, {"at": "b"}
    for first, second in ((a, b), (b, a), (a, b)):
        found = pipeline.values(collected(gauge(point(1, first), point(2, second))), "at")
        assert found == {first["at"]: 1, second["at"]: 2}


def test_one_attributes_object_may_be_of_several_metrics(pipeline):
    attributes = {"at": "a"}
    for number in range(3):
        data = collected(gauge(point(number, attributes)), counter(point(number, attributes)))
        assert len(pipeline.series(data)) == 2
        attributes["at"] += "a"


def test_attributes_may_be_of_any_mapping(pipeline):
    for number in range(3):
        attributes = MappingProxyType({"number": number})
        assert pipeline.values(collected(gauge(point(number, attributes))), "number") == {str(number): number}


def test_a_stream_may_move_from_some_bounds_to_others():
    pipeline = Pipeline("2.0")
    narrow, wide = (1.0, 2.0), (5.0, 9.0)
    for bounds in ({"a": wide, "b": narrow, "c": narrow}, {"a": wide, "b": narrow, "c": wide}):
        data = collected(histogram(*(histogram_point((1, 2, 3), each, {"at": at}) for at, each in bounds.items())))
        assert pipeline.series(data) == Pipeline("2.0").series(data)
        assert pipeline.registered() == {"latency": 15}
    pipeline.bodies(MetricsData([]))
    assert pipeline.registered() == {}


def test_a_metric_may_change_its_description():
    pipeline = Pipeline("2.0")
    for description in ("Hits", "Hits of all", "Hits"):
        data = collected(counter(point(1, {"at": "a"}), description=description))
        assert pipeline.series(data) == Pipeline("2.0").series(data)


# --- the same as if nothing were remembered ---

KEYS = st.sampled_from(["a", "b", "A.b", "zone"])
ATTRIBUTES = st.dictionaries(KEYS, st.sampled_from(["1", "2", "x"]), max_size=2)
BOUNDS = st.sampled_from([(), (1.0,), (1.0, 2.0), (1.0, 2.5)])
VALUES = st.integers(0, 100)


def counters(value, attributes, _, **times):
    return point(value, attributes, **times)


def histograms(value, attributes, bounds, **times):
    return histogram_point((value, *[1] * len(bounds)), bounds, attributes, **times)


def native_histograms(value, attributes, _, **times):
    return exponential_point((1, value), attributes, **times)


KINDS = {
    "counter": (counter, counters),
    "gauge": (gauge, counters),
    "histogram": (histogram, histograms),
    "native": (exponential_histogram, native_histograms),
}


@given(st.data(), st.sampled_from(["1.0", "2.0"]), st.sampled_from([1, 5, 2000]))
def test_an_export_is_what_it_would_be_if_nothing_were_remembered(data, protocol, max_samples):
    pipeline = Pipeline(protocol, max_samples)
    kept = data.draw(st.lists(ATTRIBUTES, min_size=4, max_size=4), "attributes")
    for number in range(data.draw(st.integers(2, 5), "exports")):
        change(data, kept)
        times = {"at": NOW + number, "start": data.draw(st.sampled_from([START, START + 1]), "start")}
        metrics = []
        for kind in sorted(data.draw(st.sets(st.sampled_from(sorted(KINDS))), "kinds")):
            make_metric, make_point = KINDS[kind]
            ordered = data.draw(st.permutations(kept), "order")
            different = list({tuple(sorted(attributes.items())): attributes for attributes in ordered}.values())
            bounds = data.draw(BOUNDS, "bounds")
            points = [
                make_point(data.draw(VALUES), attributes, bounds, **times)
                for attributes in different[: data.draw(st.integers(1, 4), "streams")]
            ]
            metrics.append(make_metric(*points, name=kind))
        resource = {"service.name": "shop", "service.instance.id": data.draw(st.sampled_from("12"), "instance")}
        export = collected(*metrics, resource=resource)
        assert pipeline.series(export) == Pipeline(protocol, max_samples).series(export)
    assert pipeline.dropped.points == {}


def change(data, kept):
    """Do to attribute objects what producers may do between exports."""
    match data.draw(st.sampled_from(["nothing", "new objects", "in place"]), "change"):
        case "new objects":
            kept[:] = [dict(attributes) for attributes in kept]
        case "in place":
            changed = data.draw(st.sampled_from(kept))
            changed.clear()
            changed.update(data.draw(ATTRIBUTES))


# --- resources ---


def of_instance(instance, value, at=NOW):
    resource = {"service.name": "shop", "service.instance.id": instance, "pid": instance}
    return of_resource(scope(gauge(point(value, {"at": "a"}, at=at)), counter(point(value, at=at))), resource=resource)


def test_a_resource_may_change(pipeline):
    # As it does in a forked child, which is another instance.
    for number, instance in enumerate(("parent", "child", "parent")):
        found = pipeline.series(MetricsData([of_instance(instance, number)]))
        assert {dict(labels)["instance"] for labels in found} == {instance}
        assert len(found) == 2


def test_several_resources_may_be_in_one_export(pipeline):
    for instances in (("a", "b"), ("b", "c"), ("c", "a", "b"), ("b",)):
        data = MetricsData([of_instance(instance, number) for number, instance in enumerate(instances)])
        assert pipeline.values(data, "instance") == {instance: number for number, instance in enumerate(instances)}
        assert len(pipeline.series(data)) == 2 * len(instances)


# --- several in one process ---


@pytest.fixture
def exporters():
    """Two exporters, one for each version of the protocol, each with a receiver of its own."""
    with Receiver() as old, Receiver() as new:
        made = [
            (PrometheusRemoteWriteMetricsExporter(endpoint=receiver.url, protocol=protocol), receiver)
            for receiver, protocol in ((old, "1.0"), (new, "2.0"))
        ]
        yield made
        for exporter, _ in made:
            exporter.shutdown()


def test_two_exporters_take_the_same_data_in_turn(exporters):
    attributes = {"at": "a"}
    for number in range(3):
        attributes["at"] += "a"
        data = collected(counter(point(number, attributes, at=NOW + number)))
        for exporter, _ in exporters:
            assert exporter.export(data) is MetricExportResult.SUCCESS
    for _, receiver in exporters:
        assert [receiver.values("hits_total", at="a" * number) for number in (2, 3, 4)] == [[0], [1], [2]]


def test_two_exporters_work_at_the_same_time(exporters):
    def export(exporter, job, results):
        for number in range(20):
            points = [
                point(number, {"job_of": job, "n": str(n), "shared": "label"}, at=NOW + number) for n in range(50)
            ]
            results.append(exporter.export(collected(counter(*points))))

    results = []
    threads = [
        threading.Thread(target=export, args=(exporter, job, results))
        for (exporter, _), job in zip(exporters, "ab", strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [MetricExportResult.SUCCESS] * 40
    for (_, receiver), job in zip(exporters, "ab", strict=True):
        assert receiver.rejected == []
        for n in range(50):
            assert receiver.values("hits_total", n=str(n), job_of=job) == list(range(20))


def test_one_exporter_may_be_given_the_data_of_two_readers(pipeline):
    # They collect the same instruments, and so hand over the very same attributes objects.
    readers = InMemoryMetricReader(), InMemoryMetricReader()
    provider = MeterProvider(readers, shutdown_on_exit=False)
    requests = provider.get_meter("tests").create_counter("requests")
    for number in range(1, 4):
        requests.add(1, {"at": "a"})
        for reader in readers:
            assert pipeline.values(reader.get_metrics_data(), "at") == {"a": number}
    provider.shutdown()


# --- nothing grows ---


def alive(kind):
    gc.collect()
    return sum(isinstance(each, kind) for each in gc.get_objects())


def many(export, streams=100):
    """An export of streams that no other export has."""
    names = [{"name": f"{export}-{number}"} for number in range(streams)]
    return collected(
        gauge(*(point(1, attributes, at=NOW + export) for attributes in names)),
        histogram(*(histogram_point((1, 2, 3), (1.0, 2.0 + export), each, at=NOW + export) for each in names[:10])),
        counter(point(1, at=NOW + export), name=f"metric_{export}"),
        exponential_histogram(*(exponential_point((1, 2), each, at=NOW + export) for each in names[:10])),
    )


@pytest.mark.parametrize("kind", [Stream, Family])
def test_streams_and_families_that_are_gone_are_forgotten(pipeline, kind):
    before = alive(kind)
    pipeline.bodies(many(0))
    kept = alive(kind) - before
    assert kept > 0
    for export in range(1, 50):
        pipeline.bodies(many(export))
    assert alive(kind) - before <= 3 * kept
    pipeline.bodies(collected(gauge(point(1))))
    pipeline.bodies(collected(gauge(point(1))))
    assert alive(kind) - before <= 0.05 * kept + 5


@pytest.fixture
def memory():
    """memory(): the bytes that are in use, but for those of before the test."""
    tracemalloc.start()
    for number in range(20_000):  # what is bounded by a number, for all pipelines together, is full from now on
        _labels((("filling", str(number)),))
        _opening_with_start(number)
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]

    def now():
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before

    yield now
    tracemalloc.stop()


def test_memory_is_level_however_often_all_streams_are_replaced(pipeline, memory):
    levels = []
    for export in range(48):
        pipeline.bodies(many(export, streams=30))
        if export % 4 == 3:
            levels.append(memory())
    assert max(levels[6:]) <= 1.3 * max(levels[:6])


def test_nothing_grows_with_the_number_of_exports(pipeline):
    attributes = {"at": "a"}

    def blocks(exports):
        for number in exports:
            pipeline.bodies(collected(counter(point(number, attributes, at=NOW + number * 1000))))
        gc.collect()
        return sys.getallocatedblocks()

    before = blocks(range(1, 100))
    assert blocks(range(100, 1000)) <= before + 20


def test_memory_returns_when_streams_are_gone(memory):
    pipeline = Pipeline("2.0", max_samples=200)
    pipeline.bodies(many(0, streams=10))
    small = memory()
    pipeline.bodies(many(1, streams=2000))
    large = memory()
    for export in range(2, 5):
        pipeline.bodies(many(export, streams=10))
    assert large > 20 * small
    assert memory() < small + 0.1 * (large - small)


def test_what_is_refused_is_remembered_up_to_a_number(pipeline):
    def told():
        return len(pipeline.dropped._logged)

    others = alive(Family)
    for export in range(30):
        pipeline.bodies(collected(*(gauge(point(object()), name=f"m_{export}_{number}") for number in range(50))))
    assert told() == 1000
    assert pipeline.dropped.points == {"value": 1500}
    assert alive(Family) <= others + 60
