"""Whatever an application measures and calls it, what is sent can be decoded, is legal, and says what was measured."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import Buckets, InMemoryMetricReader, MetricsData
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.configuration.translation_strategy import TranslationStrategy
from opentelemetry.exporter.prometheus_remote_write.encoding.encoder import Encoder
from opentelemetry.exporter.prometheus_remote_write.receiver.decoding import decode
from opentelemetry.exporter.prometheus_remote_write.receiver.histograms import histogram_fault
from opentelemetry.exporter.prometheus_remote_write.translation.dropped_points import DroppedPoints
from opentelemetry.exporter.prometheus_remote_write.translation.translator import Translator
from tests.collected import (
    DELTA,
    NOW,
    counter,
    exemplar,
    exponential_histogram,
    exponential_point,
    gauge,
    histogram,
    histogram_point,
    of_resource,
    point,
    scope,
    up_down_counter,
)
from tests.thoroughness import scaled

STRATEGIES = [strategy.value for strategy in TranslationStrategy]
METRIC_NAME = re.compile("[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL_NAME = re.compile("[a-zA-Z_][a-zA-Z0-9_]*")

# Characters of all kinds, surrogates included, and those words that have a meaning.
ANY_TEXT = st.text(st.characters(), max_size=12)
NAMES = st.one_of(
    st.sampled_from(
        ["hits", "hits.total", "hits_total", "9lives", "a.b", "a_b", "latency", "latency_count", "target_info"]
    ),
    st.text("ab._-:/ 9ä", max_size=8),
    ANY_TEXT,
)
UNITS = st.one_of(st.sampled_from(["", "1", "s", "By", "By/s", "{item}", "ms", "%"]), ANY_TEXT, st.none())
KEYS = st.one_of(
    st.sampled_from(["a.b", "a_b", "a-b", "le", "job", "__name__", "otel_scope_name", "", "..."]), ANY_TEXT
)
SCALARS = st.one_of(ANY_TEXT, st.booleans(), st.integers(), st.floats(), st.binary(max_size=4), st.none())
ATTRIBUTE_VALUES = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=3),
    st.dictionaries(ANY_TEXT, SCALARS, max_size=2),
    st.builds(object),
)
ATTRIBUTES = st.dictionaries(KEYS, ATTRIBUTE_VALUES, max_size=4)
NUMBERS = st.one_of(st.floats(), st.integers(), st.sampled_from([None, "1", 10**400]))
TIMES = st.one_of(st.just(NOW), st.integers(NOW - 10**6, NOW + 10**6))
COUNTS = st.lists(st.integers(0, 2**40), max_size=12)
EXEMPLARS = st.lists(
    st.builds(
        exemplar,
        NUMBERS,
        ATTRIBUTES,
        trace_id=st.one_of(st.none(), st.integers(0, 2**128 - 1)),
        span_id=st.one_of(st.none(), st.integers(0, 2**64 - 1)),
    ),
    max_size=3,
)


@st.composite
def points(draw):
    return point(draw(NUMBERS), draw(ATTRIBUTES), at=draw(TIMES), exemplars=draw(EXEMPLARS))


@st.composite
def histogram_points(draw):
    bounds = draw(st.lists(st.one_of(st.floats(), st.integers(-5, 5)), max_size=6))
    if draw(st.booleans()):
        bounds = sorted({bound for bound in bounds if not math.isnan(bound)})
    counts = draw(st.one_of(COUNTS, st.lists(st.integers(0, 9), min_size=len(bounds) + 1, max_size=len(bounds) + 1)))
    wrong = {"count": draw(st.integers(-1, 50))} if draw(st.integers(0, 4)) == 0 else {}
    return histogram_point(
        counts, bounds, draw(ATTRIBUTES), at=draw(TIMES), sum=draw(st.floats()), exemplars=draw(EXEMPLARS), **wrong
    )


@st.composite
def exponential_points(draw):
    positive, negative = draw(COUNTS), draw(COUNTS)
    zero = draw(st.integers(0, 9))
    wrong = draw(st.integers(0, 4)) == 0
    return exponential_point(
        attributes=draw(ATTRIBUTES),
        scale=draw(st.integers(-6, 20)),
        zero_count=zero,
        positive=Buckets(draw(st.integers(-(2**20), 2**20)), positive),
        negative=Buckets(draw(st.integers(-(2**20), 2**20)), negative),
        count=zero + sum(positive) + sum(negative) + wrong,
        sum=draw(st.floats()),
        at=draw(TIMES),
        exemplars=draw(EXEMPLARS),
    )


@st.composite
def metrics(draw):
    fields = {"name": draw(NAMES), "unit": draw(UNITS), "description": draw(st.one_of(ANY_TEXT, st.none()))}
    kind, kind_points = draw(
        st.sampled_from(
            [
                (counter, points()),
                (up_down_counter, points()),
                (gauge, points()),
                (histogram, histogram_points()),
                (exponential_histogram, exponential_points()),
            ]
        )
    )
    if kind in {counter, histogram} and draw(st.integers(0, 9)) == 0:
        fields["temporality"] = DELTA
    return kind(*draw(st.lists(kind_points, min_size=1, max_size=4)), **fields)


SCOPES = st.builds(
    lambda of_scope, name, version, attributes: scope(*of_scope, name=name, version=version, attributes=attributes),
    st.lists(metrics(), max_size=4),
    ANY_TEXT,
    st.one_of(ANY_TEXT, st.none()),
    st.dictionaries(st.text("ab.", min_size=1, max_size=4), ANY_TEXT, max_size=2),
)
RESOURCES = st.dictionaries(
    st.one_of(st.sampled_from(["service.name", "service.instance.id", "host.name", "job"]), ANY_TEXT),
    st.one_of(ANY_TEXT, st.integers(), st.booleans()),
    max_size=4,
)
EXPORTS = st.builds(
    MetricsData,
    st.lists(
        st.builds(
            lambda scopes, resource: of_resource(*scopes, resource=resource), st.lists(SCOPES, max_size=2), RESOURCES
        ),
        max_size=2,
    ),
)
OPTIONS = st.fixed_dictionaries(
    {"translation_strategy": st.sampled_from(STRATEGIES)},
    optional={
        "disable_scope_labels": st.booleans(),
        "histogram_min_max": st.booleans(),
        "external_labels": st.dictionaries(st.sampled_from(["region", "a_b", "job", "Z"]), st.just("x"), max_size=2),
        "resource_labels": st.sampled_from([("*",), ("host.*", "!job")]),
        "namespace": st.sampled_from(["shop", "s:p"]),
    },
)
QUIETLY = settings(max_examples=scaled(60), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


class Pipeline:
    """Everything between the SDK and the wire."""

    def __init__(self, protocol, options, max_samples=50):
        self.protocol = protocol
        self.dropped = DroppedPoints()
        self._translator = Translator(
            Settings(**options), self.dropped, clock=lambda: NOW * 1_000_000, custom_buckets=protocol == "2.0"
        )
        self._encoder = Encoder(protocol, max_samples, b"".join, clock=lambda: 0.0)

    def messages(self, data):
        return [request.body for request in self._encoder.encode(self._translator.translate(data))]

    def series(self, data):
        return [series for message in self.messages(data) for series in decode(self.protocol, message).series]


def assert_legal(all_series, protocol, strategy):
    seen = set()
    for series in all_series:
        names = [name for name, _ in series.labels]
        assert names == sorted(set(names), key=str.encode)
        assert all(name and text for name, text in series.labels)
        assert series.name
        if strategy.startswith("Underscore"):
            assert METRIC_NAME.fullmatch(series.name)
            assert all(map(LABEL_NAME.fullmatch, names))
        assert series.labels not in seen
        seen.add(series.labels)
        assert len(series.samples) + len(series.histograms) == 1
        for each in series.histograms:
            assert histogram_fault(each, protocol) is None
            inside = sum(each.positive_counts) + sum(each.negative_counts) + each.zero_count
            assert inside == each.count or (inside < each.count and math.isnan(each.sum))
            for spans, counts in (
                (each.positive_spans, each.positive_counts),
                (each.negative_spans, each.negative_counts),
            ):
                assert sum(span.length for span in spans) == len(counts)
                assert all(span.length for span in spans)
                assert all(span.offset > 0 for span in spans[1:])
        for each in series.exemplars:
            exemplar_names = [name for name, _ in each.labels]
            assert exemplar_names == sorted(set(exemplar_names))
            assert sum(len(name) + len(text) for name, text in each.labels) <= 128
        order = [(each.timestamp, each.value) for each in series.exemplars]
        assert order == sorted(order)


@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
@QUIETLY
@given(data=EXPORTS, options=OPTIONS)
def test_whatever_is_collected_becomes_legal_series(protocol, data, options):
    assert_legal(Pipeline(protocol, options).series(data), protocol, options["translation_strategy"])


@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
@QUIETLY
@given(data=EXPORTS, options=OPTIONS)
def test_the_same_export_is_translated_to_the_same_bytes(protocol, data, options):
    pipeline = Pipeline(protocol, options)
    first = pipeline.messages(data)
    assert Pipeline(protocol, options).messages(data) == first
    again = pipeline.messages(data)
    assert again == [
        message for message in first if decode(protocol, message).series
    ]  # without what comes now and then


@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
@settings(max_examples=scaled(30), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(exports=st.lists(EXPORTS, min_size=2, max_size=4), options=OPTIONS)
def test_what_comes_and_goes_between_exports_changes_no_series(protocol, exports, options):
    pipeline = Pipeline(protocol, options, max_samples=3)
    for data in exports:
        found = pipeline.series(data)
        assert_legal(found, protocol, options["translation_strategy"])
        fresh = Pipeline(protocol, options)
        fresh_found = fresh.series(data)
        if not (pipeline.dropped.points | fresh.dropped.points)["duplicate"]:  # else others may own the series
            assert {series.labels for series in found} == {series.labels for series in fresh_found}


@given(
    st.lists(st.floats(0, allow_infinity=False).map(abs), min_size=1, max_size=50),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), unique=True, max_size=6).map(sorted),
)
def test_buckets_of_real_histograms_hold_what_was_recorded(values, bounds):
    found = {series.name + series.label("le"): series.samples[0].value for series in recorded(values, bounds=bounds)}
    assert found["latency_count"] == found["latency_bucket+Inf"] == len(values)
    assert found["latency_sum"] == pytest.approx(sum(values))
    held = sorted((float(key.removeprefix("latency_bucket")), value) for key, value in found.items() if "bucket" in key)
    assert [bound for bound, _ in held] == [*bounds, math.inf]
    for bound, count in held:
        assert count == sum(value <= bound for value in values)
    assert all(before <= after for (_, before), (_, after) in pairwise(held))


@given(
    st.lists(
        st.one_of(st.floats(0, 1e300, allow_subnormal=False), st.sampled_from([0.0, 1.0, 2.0])), min_size=1, max_size=50
    )
)
def test_native_buckets_of_real_histograms_hold_what_was_recorded(values):
    [series] = recorded(values, native=ExponentialBucketHistogramAggregation())
    [found] = series.histograms
    assert found.count == len(values)
    assert found.zero_count == values.count(0.0)
    assert found.sum == pytest.approx(sum(values))
    assert found.zero_count + sum(found.positive_counts) == found.count
    for upper, count in buckets(found):
        lower = upper - 1
        inside = sum(
            bound(lower, found.schema) * (1 - 1e-9) < value <= bound(upper, found.schema) * (1 + 1e-9)
            for value in values
            if value
        )
        assert inside >= count


def buckets(found):
    number, counts = 0, iter(found.positive_counts)
    for span in found.positive_spans:
        number += span.offset
        for _ in range(span.length):
            yield number, next(counts)
            number += 1


def bound(number, schema):
    try:
        return 2.0 ** (number * 2.0**-schema)
    except OverflowError:
        return math.inf


def recorded(values, *, bounds=None, native=None):
    """The series of a real histogram."""
    reader = InMemoryMetricReader(preferred_aggregation={Histogram: native} if native else None)
    provider = MeterProvider([reader], shutdown_on_exit=False)
    latency = provider.get_meter("tests").create_histogram("latency", explicit_bucket_boundaries_advisory=bounds)
    for value in values:
        latency.record(value)
    data = reader.get_metrics_data()
    provider.shutdown()
    return Pipeline("1.0", {"disable_target_info": True}).series(data)
