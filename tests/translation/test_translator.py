import logging
import re
import time
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from opentelemetry.sdk.metrics.export import Gauge, MetricsData, Sum

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.model.remote_write import MetricType, NativeHistogram
from opentelemetry.exporter.prometheus_remote_write.translation.dropped_points import DroppedPoints
from opentelemetry.exporter.prometheus_remote_write.translation.translator import Translator
from tests.collected import (
    CUMULATIVE,
    DELTA,
    NOW,
    START,
    collected,
    counter,
    exponential_histogram,
    exponential_point,
    gauge,
    histogram,
    histogram_point,
    metric,
    of_resource,
    point,
    scope,
    up_down_counter,
)
from tests.family_samples import read, values

BASE = {"job", "instance", "otel_scope_name"}


class Translation:
    """A translator and what it leaves out."""

    def __init__(self, *, resources_as_labels=False, custom_buckets=False, clock=time.time_ns, **settings):
        self.dropped = DroppedPoints()
        self.translator = Translator(
            Settings(**settings),
            self.dropped,
            resources_as_labels=resources_as_labels,
            custom_buckets=custom_buckets,
            clock=clock,
        )

    def translate(self, data):
        return list(self.translator.translate(data))

    def series(self, data):
        return read(self.translate(data))

    def values(self, data, *, without=BASE):
        return values(self.translate(data), without=without)

    @property
    def refused(self):
        return dict(self.dropped.points)


def translated(data, *, without=BASE, **settings):
    return Translation(**settings).values(data, without=without)


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


# --- kinds ---


@pytest.mark.parametrize(
    ("data", "name", "kind", "value"),
    [
        pytest.param(counter(point(3)), "hits_total", MetricType.COUNTER, 3.0, id="a monotonic sum"),
        pytest.param(up_down_counter(point(-3)), "queue", MetricType.GAUGE, -3.0, id="a sum that goes up and down"),
        pytest.param(gauge(point(2.5)), "level", MetricType.GAUGE, 2.5, id="a gauge"),
        pytest.param(gauge(point(0.5), unit="1"), "level_ratio", MetricType.GAUGE, 0.5, id="a ratio"),
        pytest.param(
            counter(point(3), unit="By/s"), "hits_bytes_per_second_total", MetricType.COUNTER, 3.0, id="units"
        ),
    ],
)
def test_a_number_becomes_one_series(data, name, kind, value):
    [series] = Translation().series(collected(data))
    assert series.labels == {"__name__": name, "job": "shop", "otel_scope_name": "tests"}
    assert series.value == value
    assert (series.timestamp, series.start) == (NOW, START)
    assert series.metadata.family == name
    assert series.metadata.type is kind


def test_a_histogram_becomes_buckets_a_sum_and_a_count():
    found = Translation().series(collected(histogram(histogram_point((1, 2), (0.5,), sum=9.0), unit="s")))
    assert [(series.name, series.labels.get("le"), series.value) for series in found] == [
        ("latency_seconds_bucket", "0.5", 1),
        ("latency_seconds_bucket", "+Inf", 3),
        ("latency_seconds_sum", None, 9.0),
        ("latency_seconds_count", None, 3),
    ]
    assert {series.metadata.family for series in found} == {"latency_seconds"}
    assert {series.metadata.type for series in found} == {MetricType.HISTOGRAM}


def test_an_exponential_histogram_becomes_one_native_histogram():
    [series] = Translation().series(collected(exponential_histogram(unit="By")))
    assert series.name == "size_bytes"
    assert isinstance(series.value, NativeHistogram)
    assert series.metadata.type is MetricType.HISTOGRAM


def test_a_histogram_becomes_one_with_custom_buckets_where_asked():
    [series] = Translation(custom_buckets=True).series(collected(histogram()))
    assert series.name == "latency"
    assert series.value.custom_bounds == (1.0, 2.0)


def test_help_and_unit_are_the_instruments():
    [series] = Translation().series(collected(gauge(unit="ms", description="How high.")))
    assert (series.metadata.help, series.metadata.unit) == ("How high.", "milliseconds")


def test_surrogates_are_replaced_wherever_they_are():
    odd = "a\ud800b"
    data = collected(
        scopes=[scope(gauge(point(1.0, {f"k{odd}": odd}), name=odd, unit=odd, description=odd), name=odd, version=odd)],
        resource={"service.name": odd},
    )
    for strategy in ("UnderscoreEscapingWithSuffixes", "NoTranslation"):
        [series] = Translation(translation_strategy=strategy).series(data)
        for text in (*series.labels, *series.labels.values(), *series.metadata[2:], series.metadata.family):
            text.encode()
        assert series.metadata.help == "a\N{REPLACEMENT CHARACTER}b"
        assert series.labels["job"] == "a\N{REPLACEMENT CHARACTER}b"


def test_without_help_and_unit_they_are_empty():
    [series] = Translation().series(collected(gauge(unit=None, description=None)))
    assert (series.metadata.help, series.metadata.unit) == ("", "")


def test_extremes_are_sent_where_asked():
    data = collected(histogram(histogram_point(min=0.25, max=8.0)), exponential_histogram(unit="s"))
    found = translated(data, histogram_min_max=True)
    assert (found["latency_min{}"], found["latency_max{}"]) == (0.25, 8.0)
    assert (found["size_seconds_min{}"], found["size_seconds_max{}"]) == (0.5, 2.5)
    assert not [key for key in translated(data) if "_min" in key or "_max" in key]


def test_metrics_without_data_points_are_nothing():
    empty = [Sum((), CUMULATIVE, is_monotonic=True), Gauge(())]
    assert translated(collected(*[metric("a", data) for data in empty], resource={"service.name": "a"})) == {}


# --- what is left out ---


class Unprintable:
    """What a foreign producer may take for a name."""

    def __str__(self):
        raise RuntimeError("no text")

    def __eq__(self, other):
        raise UnprintableError

    __hash__ = object.__hash__


class UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError("no text either")


def name_of(metric):
    try:
        return str(getattr(metric, "name", metric))
    except RuntimeError:
        return "of type Metric"


SUMMARY = SimpleNamespace(data_points=[point(), point()])


@pytest.mark.parametrize(
    ("bad", "reason", "count"),
    [
        pytest.param(counter(point(), point(), temporality=DELTA), "delta", 2, id="a sum of differences"),
        pytest.param(histogram(temporality=DELTA), "delta", 1, id="a histogram of differences"),
        pytest.param(exponential_histogram(temporality=DELTA), "delta", 1, id="an exponential one"),
        pytest.param(counter(temporality=None), "delta", 1, id="no temporality"),
        pytest.param(metric("summary", SUMMARY), "type", 2, id="a summary of another SDK"),
        pytest.param(metric("nothing", None), "type", 0, id="no data"),
        pytest.param(gauge(name="..."), "name", 1, id="a name that vanishes"),
        pytest.param(gauge(name=""), "name", 1, id="an empty name"),
        pytest.param(gauge(name=None), "error", 1, id="no name"),
        pytest.param(gauge(unit=7), "error", 1, id="a number for a unit"),
        pytest.param(gauge(description=7), "error", 1, id="a number for a description"),
        pytest.param(gauge(name=["a", "b"]), "error", 1, id="a name that cannot be a key"),
        pytest.param(metric("level", Gauge(None)), "error", 0, id="None for data points"),
        pytest.param(metric("level", Gauge(7)), "error", 0, id="a number for data points"),
        pytest.param(None, "error", 0, id="no metric at all"),
        pytest.param(gauge(name=Unprintable()), "error", 1, id="a name that cannot be printed"),
        pytest.param(gauge(SimpleNamespace(value=1.0, attributes={})), "attributes", 1, id="a point without times"),
        pytest.param(
            gauge(point(None), point("1", {"a": 1}), point(10**400, {"a": 2})),
            "value",
            3,
            id="gauges that are no numbers",
        ),
        pytest.param(up_down_counter(point(None)), "value", 1, id="a sum that is no number"),
        pytest.param(histogram(histogram_point(count=1)), "buckets", 1, id="more in the buckets than the count"),
        pytest.param(histogram(histogram_point(bounds=(1.0, 1.0))), "bounds", 1, id="equal bounds"),
        pytest.param(exponential_histogram(exponential_point(scale=-5)), "scale", 1, id="a scale without a schema"),
        pytest.param(gauge(point(1.0, {"a": object()})), "attribute value", 1, id="an attribute of another type"),
        pytest.param(gauge(point(1.0, {"...": 1})), "label name", 1, id="an attribute whose key vanishes"),
        pytest.param(gauge(point(at=-1)), "timestamp", 1, id="a time before 1970"),
    ],
)
def test_what_has_no_prometheus_form_costs_nothing_else_and_is_said_once(caplog, bad, reason, count):
    translation = Translation()
    for _ in range(3):
        found = translation.values(collected(counter(name="before"), bad, gauge(name="after")))
        assert found == {"before_total{}": 1.0, "after{}": 1.0}
    assert translation.refused == {reason: 3 * count}
    [warning] = warnings(caplog)
    assert name_of(bad) in warning


def test_each_metric_and_each_reason_is_said_once(caplog):
    translation = Translation()
    bad = [gauge(point(None), point(1.0, {"a": 1}, at=-1), name=name) for name in "ab"]
    for _ in range(2):
        translation.translate(collected(*bad))
    assert len(warnings(caplog)) == 4
    assert translation.refused == {"value": 4, "timestamp": 4}


def test_warnings_end_where_metrics_are_made_up_without_end(caplog):
    translation = Translation()
    for number in range(1200):
        translation.translate(collected(gauge(point(None), name=f"level_{number}")))
    assert len(warnings(caplog)) == 1000
    assert translation.refused == {"value": 1200}


def test_metrics_are_dropped_by_their_own_names(caplog):
    metrics = [counter(name="http.server.requests"), gauge(name="http.client.open"), gauge(name="kept.http")]
    translation = Translation(drop_metrics=("http.server.*", "http.client.open", "*.other", "hits"))
    assert translation.values(collected(*metrics)) == {"kept_http{}": 1.0}
    assert translation.refused == {}
    assert not warnings(caplog)


# --- scopes ---


class ForeignScope(NamedTuple):
    """A scope that has not been through the SDK, which would have taken its attributes away."""

    name: str
    version: str
    schema_url: str
    pairs: tuple

    @property
    def attributes(self):
        return dict(self.pairs)


def in_two_scopes(name="hits", **fields):
    of = {"name": "lib", "version": "1.0", "schema_url": "https://a/1", "attributes": {"a.b": 1}}
    return [scope(counter(point(1), name=name)), scope(counter(point(2), name=name), **of | fields)]


def test_scopes_are_labels():
    data = collected(scopes=in_two_scopes())
    of_lib = "otel_scope_a_b=1,otel_scope_name=lib,otel_scope_schema_url=https://a/1,otel_scope_version=1.0"
    assert translated(data, without={"job"}) == {
        "hits_total{otel_scope_name=tests}": 1.0,
        f"hits_total{{{of_lib}}}": 2.0,
    }


def test_without_scope_labels_the_first_of_two_scopes_keeps_the_series(caplog):
    translation = Translation(disable_scope_labels=True)
    for _ in range(3):
        assert translation.values(collected(scopes=in_two_scopes()), without={"job"}) == {"hits_total{}": 1.0}
    assert translation.refused == {"duplicate": 3}
    [warning] = warnings(caplog)
    assert "'hits'" in warning
    assert 'hits_total{job="shop"}' in warning


def test_without_scope_labels_a_series_changes_hands_when_its_first_scope_is_gone():
    translation = Translation(disable_scope_labels=True)
    first, second = in_two_scopes()
    translation.translate(collected(scopes=[first, second]))
    translation.translate(collected(scopes=[second]))  # the first is forgotten at its end
    assert translation.values(collected(scopes=[second])) == {"hits_total{}": 2.0}
    assert translation.values(collected(scopes=[first, second])) == {"hits_total{}": 2.0}


def test_a_bad_scope_costs_its_own_metrics_only(caplog):
    bad = scope(gauge(), name="bad")
    object.__setattr__(bad, "scope", ForeignScope("bad", "", "", (("a", object()),)))
    translation = Translation()
    assert translation.values(collected(scopes=[bad, scope(gauge())])) == {"level{}": 1.0}
    assert translation.refused == {"attribute value": 1}
    assert len(warnings(caplog)) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(counter(name="hits"), counter(name="hits.total"), id="a counter that has its suffix already"),
        pytest.param(gauge(name="a.b"), gauge(name="a_b"), id="names that translate alike"),
        pytest.param(gauge(name="a", unit="s"), gauge(name="a_seconds"), id="a unit that is in the other name"),
        pytest.param(counter(name="a"), gauge(name="a_total"), id="a counter and a gauge"),
        pytest.param(gauge(name="latency_count"), histogram(name="latency"), id="a gauge and a histogram"),
        pytest.param(
            gauge(point(1.0, {"le": "1"}), name="latency_bucket"), histogram(name="latency"), id="a gauge and a bucket"
        ),
        pytest.param(gauge(name="a"), exponential_histogram(name="a"), id="a gauge and a native histogram"),
    ],
)
def test_of_two_metrics_that_become_one_series_the_first_keeps_it(caplog, one, other):
    for first, second in ((one, other), (other, one)):
        caplog.clear()
        translation = Translation()
        expected = translation.values(collected(first))
        assert translation.values(collected(first, second)) == expected
        assert translation.values(collected(second, first)) == expected
        assert translation.refused == {"duplicate": 2}
        [warning] = warnings(caplog)
        assert f"'{first.name}'" in warning
        assert f"'{second.name}'" in warning


def test_metrics_that_differ_in_their_unit_alone_are_each_known_again():
    translation = Translation(translation_strategy="UnderscoreEscapingWithoutSuffixes")
    data = collected(gauge(point(1, {"a": 1}), unit="s"), gauge(point(2, {"a": 2}), unit="ms"))
    before = translation.translate(data)
    after = translation.translate(data)
    assert [family_samples.family for family_samples in after] == [family_samples.family for family_samples in before]


def test_metrics_that_views_made_alike_are_each_known_again():
    translation = Translation()
    data = collected(gauge(point(1, {"a": 1})), gauge(point(2, {"a": 2})))
    before, after = translation.translate(data), translation.translate(data)
    assert [family_samples.streams for family_samples in after] == [family_samples.streams for family_samples in before]
    assert values(after, without=BASE) == {"level{a=1}": 1.0, "level{a=2}": 2.0}


# --- resources ---

WEB = {"service.name": "web", "service.namespace": "shop", "service.instance.id": "i-1", "host.name": "h1"}


def test_a_resource_becomes_job_instance_and_target_info():
    found = Translation().series(collected(gauge(point(at=NOW)), counter(point(at=NOW + 5)), resource=WEB))
    assert {(series.labels["job"], series.labels["instance"]) for series in found} == {("shop/web", "i-1")}
    info = found[-1]
    assert info.labels == {"__name__": "target_info", "job": "shop/web", "instance": "i-1", "host_name": "h1"}
    assert (info.value, info.timestamp, info.start) == (1.0, NOW + 5, 0)
    assert info.metadata == ("target_info", MetricType.GAUGE, "Target metadata", "")


def test_target_info_is_the_same_stream_in_every_export():
    translation = Translation()
    before = translation.translate(collected(gauge(), resource=WEB))[-1]
    after = translation.translate(collected(gauge(point(at=NOW + 1000)), resource=WEB))[-1]
    assert after.family is before.family
    assert after.streams is before.streams
    assert after.timestamps == NOW + 1000


@pytest.mark.parametrize(
    ("resource", "metrics", "settings"),
    [
        pytest.param(WEB, [gauge()], {"disable_target_info": True}, id="switched off"),
        pytest.param({"service.name": "web"}, [gauge()], {}, id="nothing to say"),
        pytest.param({"host.name": "h1"}, [gauge()], {}, id="nothing to join by"),
    ],
)
def test_there_is_no_target_info_without_need(resource, metrics, settings):
    found = translated(collected(*metrics, resource=resource), **settings)
    assert not [key for key in found if key.startswith("target_info")]


def test_several_resources_have_each_their_labels_and_target_info():
    data = MetricsData([of_resource(scope(gauge()), resource=WEB | {"service.name": name}) for name in ("a", "b")])
    translation = Translation()
    for _ in range(2):
        assert translation.values(data, without={"instance", "otel_scope_name", "host_name"}) == {
            "level{job=shop/a}": 1.0,
            "target_info{job=shop/a}": 1.0,
            "level{job=shop/b}": 1.0,
            "target_info{job=shop/b}": 1.0,
        }
    assert translation.refused == {}


def test_a_resource_that_comes_twice_is_one():
    data = MetricsData([of_resource(scope(gauge(name=name)), resource=WEB) for name in "ab"])
    translation = Translation()
    before = translation.translate(data)
    assert values(before, without=BASE) == {"a{}": 1.0, "b{}": 1.0, "target_info{host_name=h1}": 1.0}
    after = translation.translate(data)
    assert [family_samples.streams for family_samples in after] == [family_samples.streams for family_samples in before]


def test_resources_that_become_one_target_have_one_target_info():
    alike = [WEB, WEB | {"empty": ""}]
    data = MetricsData([of_resource(scope(gauge(name=f"a{n}")), resource=each) for n, each in enumerate(alike)])
    assert translated(data) == {"a0{}": 1.0, "a1{}": 1.0, "target_info{host_name=h1}": 1.0}


def test_a_metric_that_is_called_as_target_info_does_not_come_twice(caplog):
    translation = Translation(disable_scope_labels=True)
    mine = gauge(point(7.0, {"host.name": "h1"}), name="target_info")
    for _ in range(2):
        assert translation.values(collected(mine, resource=WEB)) == {"target_info{host_name=h1}": 7.0}
    assert translation.refused == {"duplicate": 2}
    assert len(warnings(caplog)) == 1


def test_a_resource_that_changes_takes_its_series_over():
    translation = Translation()
    assert set(translation.values(collected(gauge(), resource=WEB))) == {"level{}", "target_info{host_name=h1}"}
    moved = WEB | {"host.name": "h2"}
    assert set(translation.values(collected(gauge(), resource=moved))) == {"level{}", "target_info{host_name=h2}"}
    assert set(translation.values(collected(gauge(), resource=WEB))) == {"level{}", "target_info{host_name=h1}"}
    assert translation.refused == {}


def test_a_resource_attribute_that_cannot_be_a_label_is_left_out_and_said_once(caplog):
    data = collected(gauge(), resource=WEB)
    resource = SimpleNamespace(attributes=WEB | {"odd": object(), "...": "x"})
    object.__setattr__(data.resource_metrics[0], "resource", resource)
    translation = Translation()
    for _ in range(2):
        assert set(translation.values(data)) == {"level{}", "target_info{host_name=h1}"}
    assert len(warnings(caplog)) == 1


def test_resource_attributes_are_copied_where_asked():
    data = collected(gauge(point(1.0, {"host.name": "mine"})), resource=WEB | {"host.id": "7"})
    assert "level{host_id=7,host_name=mine}" in translated(data, resource_labels=("host.*",))
    assert "level{host_name=mine}" in translated(data, resource_labels=("host.*", "!host.id"))
    assert (
        "level{host_id=7,host_name=mine,service_instance_id=i-1,service_name=web,service_namespace=shop}"
        in translated(data, resources_as_labels=True)
    )


def test_external_labels_are_the_weakest():
    data = collected(gauge(point(1.0, {"a": "mine"})), resource={"service.name": "web"})
    found = translated(data, without=set(), external_labels={"a": "x", "region": "eu", "job": "x", "instance": "i-9"})
    assert found == {"level{a=mine,instance=i-9,job=web,otel_scope_name=tests,region=eu}": 1.0}


def test_attributes_that_conflict_with_our_labels_are_exported():
    data = collected(gauge(point(1.0, {"__name__": "x", "job": "y", "otel_scope_name": "z"})))
    assert translated(data, without=set()) == {
        "level{exported___name__=x,exported_job=y,exported_otel_scope_name=z,job=shop,otel_scope_name=tests}": 1.0
    }


def test_metrics_that_differ_by_an_attribute_job_alone_are_all_sent():
    points = [point(number, {"job": job}) for number, job in enumerate(["backup", "report", "cleanup"])]
    assert translated(collected(counter(*points, name="job.runs"))) == {
        "job_runs_total{exported_job=backup}": 0.0,
        "job_runs_total{exported_job=report}": 1.0,
        "job_runs_total{exported_job=cleanup}": 2.0,
    }


def test_long_values_are_cut_wherever_they_are():
    data = collected(gauge(point(1.0, {"at": "a" * 100})), resource={"service.name": "s" * 100, "host.name": "h" * 100})
    found = translated(data, without=set(), max_label_value_length=20)
    assert len(found) == 2
    assert all(len(text) <= 20 for name in found for text in re.findall(r"=([^,}]*)", name))


@pytest.mark.parametrize(
    ("strategy", "name", "label"),
    [
        ("UnderscoreEscapingWithSuffixes", "http_hits_bytes_total", "http_route"),
        ("UnderscoreEscapingWithoutSuffixes", "http_hits", "http_route"),
        ("NoUTF8EscapingWithSuffixes", "http.hits_bytes_total", "http.route"),
        ("NoTranslation", "http.hits", "http.route"),
    ],
)
def test_the_strategy_decides_names_and_labels(strategy, name, label):
    data = collected(counter(point(1.0, {"http.route": "/"}), name="http.hits", unit="By"))
    assert translated(data, translation_strategy=strategy) == {f"{name}{{{label}=/}}": 1.0}


def test_the_namespace_is_in_front_of_every_name():
    found = translated(collected(gauge(), histogram(), resource=WEB), namespace="ns")
    assert all(key.startswith("ns_") for key in found)


# --- from export to export ---


def test_streams_are_the_same_objects_while_nothing_changes():
    translation = Translation()
    attributes = {"a": 1}
    data = [gauge, counter, up_down_counter]
    points = {
        histogram: lambda: histogram_point(attributes=attributes),
        exponential_histogram: lambda: exponential_point(attributes=attributes),
    } | {kind: lambda: point(attributes=attributes) for kind in data}

    def export():
        return translation.translate(collected(*[kind(make()) for kind, make in points.items()]))

    before, after = export(), export()
    assert len(before) == 5
    for family_samples, again in zip(before, after, strict=True):
        assert again.family is family_samples.family
        assert again.streams is family_samples.streams


@pytest.mark.parametrize("kind", [gauge, counter, up_down_counter, histogram, exponential_histogram])
def test_a_metric_that_disappears_gives_its_series_back_and_may_return(kind):
    translation = Translation()
    first, second = scope(kind(), name="first"), scope(kind(), name="second")
    expected = Translation(disable_scope_labels=True).values(collected(scopes=[first]))
    translation = Translation(disable_scope_labels=True)
    for scopes in ([first], [], [second], [], [first]):
        found = translation.values(collected(scopes=scopes or [scope(gauge(name="other"))]))
        assert found == (expected if scopes else {"other{}": 1.0})
    assert translation.refused == {}


def test_a_metric_whose_translation_fails_is_tried_again():
    translation = Translation()
    assert translation.values(collected(metric("level", Gauge(7)))) == {}
    assert translation.values(collected(gauge())) == {"level{}": 1.0}


@pytest.mark.parametrize(
    "metrics",
    [
        pytest.param([], id="no metric"),
        pytest.param([gauge(point(None))], id="no metric that could be sent"),
        pytest.param([metric("a", Gauge(()))], id="no data point"),
    ],
)
def test_target_info_is_the_proof_of_life_of_what_has_measured_nothing(metrics):
    translation = Translation(clock=lambda: NOW * 1_000_000)
    [info] = translation.translate(collected(*metrics, resource=WEB))
    assert (info.family.metadata.family, info.timestamps) == ("target_info", NOW)


def test_nothing_is_kept_of_what_is_gone():
    translation = Translation(histogram_min_max=True)
    for number in range(20):
        metrics = [
            kind(name=f"{kind.__name__}_{number}")
            for kind in (gauge, counter, up_down_counter, histogram, exponential_histogram)
        ]
        translation.translate(collected(*metrics, resource=WEB | {"host.id": str(number)}))
    translation.translate(MetricsData([]))
    assert translation.translator._resources == []
    assert translation.translator.registry._owners == {}
    assert translation.translator.registry.usage.series == {}
