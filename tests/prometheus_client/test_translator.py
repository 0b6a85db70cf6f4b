"""What prometheus_client's page shows is what is pushed, with the labels of the process."""

from __future__ import annotations

import logging
import math
import time
from types import SimpleNamespace

import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeHistogramMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    SummaryMetricFamily,
    UnknownMetricFamily,
)
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.samples import BucketSpan, Exemplar, NativeHistogram

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.collected import START, collected, gauge, point
from tests.collected import counter as otel_counter

PROTOCOLS = pytest.mark.parametrize("protocol", ["1.0", "2.0"])
SHOP = MetricsData([ResourceMetrics(Resource({"service.name": "shop", "service.instance.id": "i"}), [], "")])


@pytest.fixture
def registry():
    return CollectorRegistry()


class Pushes:
    """What an exporter pushed of some registries, export by export."""

    def __init__(self, protocol, *registries, **settings):
        self.receiver = Receiver()
        self.exporter = PrometheusRemoteWriteMetricsExporter(
            endpoint=self.receiver.url,
            protocol=protocol,
            prometheus_client=registries,
            **{"disable_zero_samples": True, "disable_target_info": True, **settings},
        )

    def __enter__(self):
        self.receiver.__enter__()
        return self

    def __exit__(self, *_):
        self.exporter.shutdown()
        self.receiver.__exit__(None, None, None)

    def series(self, data=SHOP):
        """The values by name and labels, without those of the process."""
        messages = self.messages(data)
        found = {}
        for series in (series for message in messages for series in message.series):
            labels = {name: text for name, text in series.labels if name not in {"job", "instance"}}
            (sample,) = series.samples or series.histograms
            found[text(labels)] = sample.value
        return found

    def messages(self, data=SHOP):
        before = len(self.receiver.received)
        self.exporter.export(data)
        assert not self.receiver.rejected
        return self.receiver.received[before:]


def text(labels):
    labels = dict(labels)
    return labels.pop("__name__") + "{" + ",".join(f"{name}={value}" for name, value in sorted(labels.items())) + "}"


def on_the_page(registry):
    """The same of the page that is scraped, without the times of creation, which are no series when they are pushed."""
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        text({**sample.labels, "__name__": sample.name}): sample.value
        for family in families
        for sample in family.samples
        if not (sample.name.endswith("_created") and family.type in {"counter", "summary", "histogram"})
    }


def application(registry):
    """One of each kind that the library has."""
    requests = Counter("requests", "Requests", ["path", "code"], registry=registry)
    requests.labels("/", "200").inc(3)
    requests.labels("/checkout", "500").inc()
    Gauge("queue_size", "Waiting", registry=registry).set(-2.5)
    Gauge("ratio", "Not a number", registry=registry).set(math.inf)
    latency = Histogram("latency", "Latency", ["path"], unit="seconds", registry=registry, buckets=(0.1, 1.0, 2.5))
    for seconds in (0.05, 0.5, 7.0):
        latency.labels("/").observe(seconds)
    Summary("size", "Size", ["path"], registry=registry).labels("/").observe(512)
    Info("build", "Build", registry=registry).info({"version": "1.2", "commit": "abc"})
    Enum("state", "State", states=["starting", "running"], registry=registry).state("running")


class Custom:
    """A collector of an application's own."""

    def __init__(self, *families):
        self.families = families

    def collect(self):
        return self.families


@PROTOCOLS
def test_every_kind_is_pushed_as_it_stands_on_the_page(protocol, registry):
    application(registry)
    families = [
        GaugeHistogramMetricFamily("waiting", "Waiting", buckets=[("1.0", 2.0), ("+Inf", 3.0)], gsum_value=4.0),
        UnknownMetricFamily("whatever", "Untyped", 5.0),
    ]
    registry.register(Custom(*families))
    with Pushes(protocol, registry) as pushes:
        assert pushes.series() == on_the_page(registry)
        assert pushes.series() == on_the_page(registry)


def test_types_help_and_units_are_those_of_the_page(registry):
    application(registry)
    summary = SummaryMetricFamily("duration", 'With "quotes", \\ and\nlines', labels=["at"], unit="seconds")
    summary.add_metric(["/"], 3, 4.5)
    histogram = GaugeHistogramMetricFamily("waiting", "Waiting", buckets=[("1.0", 2.0), ("+Inf", 3.0)], gsum_value=4.0)
    registry.register(Custom(summary, histogram, UnknownMetricFamily("whatever", "Untyped", 5.0)))
    with Pushes("2.0", registry) as pushes:
        (message,) = pushes.messages()
    pushed = {dict(series.labels)["__name__"]: series.metadata for series in message.series}
    on_page = {
        sample.name: (family.type, family.documentation, family.unit)
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
        if not sample.name.endswith("_created")
    }
    assert {name: (of.type, of.help, of.unit) for name, of in pushed.items()} == on_page


def test_series_that_come_and_go_are_pushed_while_they_are_there(registry):
    requests = Counter("requests", "Requests", ["path"], registry=registry)
    latency = Histogram("latency", "Latency", ["path"], registry=registry, buckets=(1.0,))
    with Pushes("2.0", registry) as pushes:
        for number in range(6):
            requests.labels(f"/{number}").inc()
            latency.labels(f"/{number % 3}").observe(number)
            if number == 4:
                requests.remove("/1")
                latency.remove("/0")
            assert pushes.series() == on_the_page(registry)


LABELS = st.dictionaries(st.sampled_from(["a", "b", "le", "quantile", "job"]), st.text(max_size=3), max_size=3)


@given(st.lists(st.lists(LABELS, max_size=5), max_size=4))
def test_whatever_a_collector_returns_each_series_is_pushed_once(collections):
    registry = CollectorRegistry()
    custom = Custom()
    registry.register(custom)
    with Pushes("2.0", registry) as pushes:
        for labels in collections:
            family = GaugeMetricFamily("level", "Level", labels=())
            for number, each in enumerate(labels):
                family.add_sample("level", each, number)
            custom.families = (family,)
            first = {}
            for number, each in enumerate(labels):
                exported = {"exported_job" if name == "job" else name: value for name, value in each.items() if value}
                first.setdefault(text({**exported, "__name__": "level"}), float(number))
            assert pushes.series() == first


@PROTOCOLS
def test_the_time_of_creation_is_the_start_and_no_series(protocol, registry):
    with Pushes(protocol, registry, disable_zero_samples=False) as pushes:
        counter = Counter("requests", "Requests", registry=registry)
        counter.inc(5)
        (series,) = [series for message in pushes.messages() for series in message.series]
    zero, sample = series.samples
    created = round(counter._created * 1000)
    assert (zero.value, sample.value) == (0.0, 5.0)
    assert abs(zero.timestamp - created) <= 1
    if protocol == "2.0":
        assert abs(sample.start_timestamp - created) <= 1


def test_labels_of_the_process_stay_and_those_of_samples_are_exported(registry):
    Gauge("runs", "Runs", ["job", "instance"], registry=registry).labels("backup", "db").set(1)
    with Pushes("2.0", registry, external_labels={"cluster": "berlin"}, resource_labels=["service.*"]) as pushes:
        (message,) = pushes.messages()
    assert dict(message.series[0].labels) == {
        "__name__": "runs",
        "cluster": "berlin",
        "exported_instance": "db",
        "exported_job": "backup",
        "instance": "i",
        "job": "shop",
        "service_instance_id": "i",
        "service_name": "shop",
    }


def test_exemplars_are_pushed_once(registry):
    counter = Counter("requests", "Requests", registry=registry)
    counter.inc(1, exemplar={"trace_id": "abc"})
    with Pushes("2.0", registry) as pushes:
        first, again = pushes.messages(), pushes.messages()
    assert [exemplar.labels for exemplar in first[0].series[0].exemplars] == [(("trace_id", "abc"),)]
    assert not again[0].series[0].exemplars


def test_times_of_samples_are_kept(registry):
    family = GaugeMetricFamily("level", "Level", labels=("at",))
    family.add_metric(["a"], 1.0, timestamp=1_700_000_000.25)
    family.add_metric(["b"], 2.0)
    registry.register(Custom(family))
    with Pushes("2.0", registry) as pushes:
        (message,) = pushes.messages()
    times = {dict(series.labels)["at"]: series.samples[0].timestamp for series in message.series}
    assert times["a"] == 1_700_000_000_250
    assert times["b"] > times["a"]


@PROTOCOLS
def test_native_histograms_are_pushed_beside_the_classic_ones(protocol, registry):
    exemplars = [Exemplar({"trace_id": "a"}, 1.5, 1_700_000_000.0), Exemplar({"trace_id": "b"}, 3.0, 1_700_000_001.0)]
    spans, deltas = (BucketSpan(0, 2), BucketSpan(1, 1)), (2, 1, -2)
    family = HistogramMetricFamily("latency", "Latency", buckets=[("1.0", 4.0), ("+Inf", 7.0)], sum_value=9.5)
    native = NativeHistogram(7, 9.5, 1, 0.001, 1, spans, None, deltas, None, exemplars)
    family.add_sample("latency", {}, None, None, None, native)
    registry.register(Custom(family))
    with Pushes(protocol, registry) as pushes:
        first, again = pushes.messages(), pushes.messages()
    series = {dict(series.labels)["__name__"]: series for message in first for series in message.series}
    assert series.keys() == {"latency", "latency_bucket", "latency_count", "latency_sum"}
    (histogram,) = series["latency"].histograms
    assert (histogram.count, histogram.sum, histogram.schema, histogram.zero_count) == (7, 9.5, 1, 1)
    assert [dict(exemplar.labels)["trace_id"] for exemplar in series["latency"].exemplars] == ["a", "b"]
    assert not [series for message in again for series in message.series if series.exemplars]


@pytest.mark.parametrize("glob", ["requests", "requests_total", "req*total"])
def test_a_family_is_dropped_by_its_name_with_or_without_total(registry, glob):
    Counter("requests", "Requests", registry=registry).inc()
    Gauge("good", "Good", registry=registry).set(1)
    with Pushes("2.0", registry, drop_metrics=[glob]) as pushes:
        assert pushes.series() == {"good{}": 1.0}


def test_what_is_set_for_a_whole_registry_is_pushed(registry):
    registry.set_target_info({"env": "prod"})
    with Pushes("2.0", registry) as pushes:
        assert pushes.series() == on_the_page(registry) == {"target_info{env=prod}": 1.0}


def test_a_collector_in_two_registries_is_pushed_once(registry, caplog):
    other = CollectorRegistry()
    counter = Counter("requests", "Requests", registry=registry)
    other.register(counter)
    Gauge("good", "Good", registry=other).set(1)
    with Pushes("2.0", registry, other) as pushes:
        assert pushes.series() == {"requests_total{}": 0.0, "good{}": 1.0}
    assert caplog.text == ""


def test_of_two_registries_with_the_same_series_the_first_is_pushed(registry, caplog):
    other = CollectorRegistry()
    Gauge("level", "Level", registry=registry).set(1)
    Gauge("level", "Level", registry=other).set(2)
    with Pushes("2.0", registry, other) as pushes:
        assert pushes.series() == {"level{}": 1.0}
    assert "is also written by metric 'level'" in caplog.text


@PROTOCOLS
def test_labels_are_those_of_the_page_whatever_is_in_them(protocol, registry):
    family = Gauge("level", "Level", ["at"], registry=registry)
    for text in ("a\nb", 'q"q', "back\\slash", "ü€😀", " ", "{}", ""):
        family.labels(text).set(len(text))
    with Pushes(protocol, registry) as pushes:
        pushed = pushes.series()
    assert pushed == {name.replace("{at=}", "{}"): value for name, value in on_the_page(registry).items()}


# --- beside the OpenTelemetry metrics ---


def test_both_kinds_go_out_in_one_export(registry):
    Counter("requests", "Requests", registry=registry).inc()
    with Pushes("2.0", registry) as pushes:
        found = pushes.series(collected(gauge(point(3.0)), resource={"service.name": "shop"}))
    assert found == {"requests_total{}": 1.0, "level{otel_scope_name=tests}": 3.0}


def test_where_both_have_a_series_the_opentelemetry_metric_keeps_it(registry, caplog):
    Counter("hits", "Hits", registry=registry).inc(7)
    alone = collected(resource={"service.name": "shop"})
    with Pushes("2.0", registry, disable_scope_labels=True) as pushes:
        assert pushes.series(alone) == {"hits_total{}": 7.0}
        later = time.time_ns() // 1_000_000 + 1
        other = otel_counter(point(1.0, at=later, start=START), name="hits")
        assert pushes.series(collected(other, resource={"service.name": "shop"})) == {"hits_total{}": 1.0}
        while time.time_ns() // 1_000_000 <= later:
            pass
        assert pushes.series(alone) == {"hits_total{}": 7.0}
    assert "is also written by metric 'hits'" in caplog.text


def test_one_limit_holds_for_both(registry):
    Gauge("size", "Size", ["at"], registry=registry).labels("a").set(1)
    registry.register(Custom(GaugeMetricFamily("level2", "Level", value=1.0)))
    with Pushes("2.0", registry, max_series=2) as pushes:
        found = pushes.series(collected(gauge(point(3.0)), resource={"service.name": "shop"}))
        assert len(found) == 2
        assert pushes.exporter.dropped.points["max_series"] == 1


def test_metrics_are_dropped_by_name(registry):
    application(registry)
    with Pushes("2.0", registry, drop_metrics=["lat*", "state"]) as pushes:
        names = {name.partition("{")[0] for name in pushes.series()}
    assert not [name for name in names if name.startswith(("latency", "state"))]
    assert "requests_total" in names


# --- what is wrong ---


class Unhashable:
    """A registry of somebody else's."""

    __hash__ = None

    def __init__(self, *families):
        self.families = families

    def collect(self):
        return self.families


class Raising(Unhashable):
    """A registry of which everything raises."""

    def collect(self):
        raise SystemExit(3)

    @property
    def _lock(self):
        raise KeyError("lock")


class Chosen(CollectorRegistry):
    """A registry that collects in its own way."""

    def collect(self):
        return [family for family in super().collect() if family.name != "hidden"]


def test_a_registry_of_somebody_elses_costs_its_own_families_alone(registry, caplog):
    Gauge("good", "Good", registry=registry).set(1)
    odd = Unhashable(GaugeMetricFamily("odd", "Odd", value=2.0))
    with Pushes("2.0", Raising(), odd, registry) as pushes:
        for _ in range(2):
            assert pushes.series() == {"odd{}": 2.0, "good{}": 1.0}
    [warning] = caplog.messages
    assert "Raising failed (SystemExit: 3)" in warning


def test_a_registry_that_collects_in_its_own_way_is_asked_in_that_way():
    chosen = Chosen()
    Gauge("good", "Good", registry=chosen).set(1)
    Gauge("hidden", "Hidden", registry=chosen).set(1)
    with Pushes("2.0", chosen) as pushes:
        assert pushes.series() == {"good{}": 1.0}


def test_of_a_restricted_registry_one_collector_costs_its_own_families_alone(registry, caplog):
    class Broken:
        def collect(self):
            raise RuntimeError("no database")

        def describe(self):
            return [GaugeMetricFamily("broken", "Broken")]

    registry.register(Broken())
    registry.set_target_info({"env": "prod"})
    latency = Histogram("latency", "Latency", registry=registry)
    latency.observe(2)
    Gauge("other", "Other", registry=registry).set(1)
    with Pushes("2.0", registry.restricted_registry(["broken", "latency_sum", "target_info"])) as pushes:
        for _ in range(2):
            assert pushes.series() == {"latency_sum{}": 2.0, "target_info{env=prod}": 1.0}
    [warning] = caplog.messages
    assert "Broken failed (RuntimeError: no database)" in warning


def test_an_error_whose_text_changes_is_told_once(registry, caplog):
    class Broken:
        def collect(self):
            raise RuntimeError(f"no database at {time.monotonic_ns()}")

    registry.register(Broken())
    with Pushes("2.0", registry) as pushes:
        for _ in range(3):
            assert pushes.series() == {}
    assert len(caplog.messages) == 1


def test_a_collector_that_raises_costs_its_own_families_alone(registry, caplog):
    class Broken:
        def collect(self):
            yield GaugeMetricFamily("before", "Before", value=1.0)
            raise RuntimeError("no database")

        def describe(self):
            return []

    registry.register(Broken())
    Gauge("good", "Good", registry=registry).set(1)
    with Pushes("2.0", registry) as pushes:
        for _ in range(3):
            assert pushes.series() == {"good{}": 1.0}
    [warning] = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "Broken failed (RuntimeError: no database)" in warning


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(("level", {}, None), id="a value that is none"),
        pytest.param(("level", {}, "seven"), id="a text"),
        pytest.param(("level", {}, 10**400), id="a number that is too large"),
        pytest.param(("level", {}, 7.0, "noon"), id="a text for a time"),
        pytest.param(("level", {}, 7.0, -1), id="a time before 1970"),
        pytest.param(("level", {}, 7.0, math.nan), id="a time that is no number"),
        pytest.param(("level", {}, 7.0, 1e15), id="a time that is in another unit"),
        pytest.param(("level", {1: "x"}, 7.0), id="a label without a name"),
        pytest.param(("level", {"a": 1}, 7.0), id="a number for a label"),
        pytest.param(("level", None, 7.0), id="no labels"),
        pytest.param(("level",), id="half a sample"),
        pytest.param(None, id="no sample"),
    ],
)
def test_a_bad_sample_costs_itself_alone(registry, bad):
    family = GaugeMetricFamily("level", "Level", labels=("at",))
    family.add_metric(["a"], 1.0)
    family.samples.append(bad)
    registry.register(Custom(family))
    Gauge("good", "Good", registry=registry).set(1)
    with Pushes("2.0", registry) as pushes:
        for _ in range(2):
            assert pushes.series() == {"level{at=a}": 1.0, "good{}": 1.0}
        assert sum(pushes.exporter.dropped.points.values()) == 2


def test_a_number_in_a_text_is_pushed_as_the_page_shows_it(registry):
    family = GaugeMetricFamily("level", "Level")
    family.add_metric([], "7")
    registry.register(Custom(family))
    with Pushes("2.0", registry) as pushes:
        assert pushes.series() == on_the_page(registry) == {"level{}": 7.0}


@pytest.mark.parametrize("created", [-1.0, math.nan, math.inf, 1.7e12], ids=str)
@PROTOCOLS
def test_a_time_of_creation_that_makes_no_sense_is_none(protocol, registry, created):
    family = CounterMetricFamily("requests", "Requests")
    family.add_metric([], 5.0, created=created)
    registry.register(Custom(family))
    with Pushes(protocol, registry, disable_zero_samples=False) as pushes:
        (series,) = [series for message in pushes.messages() for series in message.series]
    (sample,) = series.samples
    assert (sample.value, sample.start_timestamp) == (5.0, 0)


@pytest.mark.parametrize("family", [None, 7, SimpleNamespace(name="x"), SimpleNamespace(name="x", samples=None)])
def test_a_collector_that_returns_no_families_costs_nothing_else(registry, family):
    registry.register(Custom(family))
    Gauge("good", "Good", registry=registry).set(1)
    with Pushes("2.0", registry) as pushes:
        assert pushes.series() == {"good{}": 1.0}


def test_the_default_registry_is_pushed_where_the_application_has_imported_the_library():
    with Pushes("2.0", prometheus_client.REGISTRY) as chosen, Receiver() as receiver:
        exporter = PrometheusRemoteWriteMetricsExporter(endpoint=receiver.url, prometheus_client=True)
        exporter.export(SHOP)
        exporter.shutdown()
        names = {dict(series.labels)["__name__"] for message in receiver.received for series in message.series}
        assert {name.partition("{")[0] for name in chosen.series()} <= names


def test_a_family_that_cannot_be_sent_is_counted_each_time_and_sent_when_it_can(registry):
    family = GaugeMetricFamily("level", "Level")
    family.samples.append(("level", {}, 0.0, None, None, SimpleNamespace(count_value="many")))
    registry.register(Custom(family))
    with Pushes("2.0", registry) as pushes:
        for _ in range(2):
            assert pushes.series() == {}
        assert sum(pushes.exporter.dropped.points.values()) == 2
        family.samples[:] = [("level", {}, 7.0)]
        assert pushes.series() == {"level{}": 7.0}
