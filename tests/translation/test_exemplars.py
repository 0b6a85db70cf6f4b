from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics import Exemplar as SdkExemplar
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import View
from opentelemetry.sdk.trace import TracerProvider

from opentelemetry.exporter.prometheus_remote_write.model.remote_write import Exemplar
from opentelemetry.exporter.prometheus_remote_write.model.timestamps import LATEST
from opentelemetry.exporter.prometheus_remote_write.translation.exemplars import (
    bucket_of,
    prometheus_exemplars,
)

TRACE_ID = 0x0AF7651916CD43DD8448EB211C80319C
SPAN_ID = 0xB7AD6B7169203331
IDS = (("span_id", "b7ad6b7169203331"), ("trace_id", "0af7651916cd43dd8448eb211c80319c"))


def sdk_exemplar(attributes=None, value=1.5, nanoseconds=1_700_000_000_123_456_789, span_id=None, trace_id=None):
    return SdkExemplar(attributes or {}, value, nanoseconds, span_id, trace_id)


def labels(attributes, **ids):
    (exemplar,) = prometheus_exemplars([sdk_exemplar(attributes, **ids)])
    return exemplar.labels


def test_value_and_time_are_a_float_and_milliseconds():
    assert prometheus_exemplars([sdk_exemplar(value=7)]) == (Exemplar((), 7.0, 1_700_000_000_123),)
    assert isinstance(prometheus_exemplars([sdk_exemplar(value=7)])[0].value, float)


@pytest.mark.parametrize(
    ("attributes", "ids", "expected"),
    [
        pytest.param({}, {"trace_id": TRACE_ID, "span_id": SPAN_ID}, IDS, id="the ids in lower case"),
        pytest.param({}, {"trace_id": 1}, (("trace_id", "0" * 31 + "1"),), id="a short id filled up with zeros"),
        pytest.param({}, {"trace_id": 0, "span_id": 0}, (), id="no id that is zero"),
        pytest.param({}, {}, (), id="nothing where there is nothing"),
        pytest.param(
            {"user.id": "u1", "n": 5, "b": True, "l": ["x", 1]},
            {},
            (("b", "true"), ("l", '["x",1]'), ("n", "5"), ("user.id", "u1")),
            id="attributes under names that are not escaped",
        ),
        pytest.param(
            {"trace_id": "mine", "span_id": "mine"},
            {"trace_id": TRACE_ID, "span_id": SPAN_ID},
            IDS,
            id="the real ids rather than attributes of their names",
        ),
        pytest.param({"trace_id": "mine"}, {}, (("trace_id", "mine"),), id="an attribute named as an absent id"),
        pytest.param({"b": "1", "B": "2", "é": "3"}, {}, (("B", "2"), ("b", "1"), ("é", "3")), id="all sorted by byte"),
        pytest.param({"empty": "", "": "x", "none": None, "a": "1"}, {}, (("a", "1"),), id="nothing that is empty"),
        pytest.param({"a\udc80": "\udcff"}, {}, (("a\ufffd", "\ufffd"),), id="no surrogate"),
    ],
)
def test_the_labels_are(attributes, ids, expected):
    assert labels(attributes, **ids) == expected


@pytest.mark.parametrize("letter", ["x", "é", "\N{GRINNING FACE}"])
def test_attributes_stay_while_all_labels_have_128_characters_at_most(letter):
    ids = {"trace_id": TRACE_ID, "span_id": SPAN_ID}  # 63 characters

    assert labels({"k": letter * 64}, **ids) == (("k", letter * 64), *IDS)
    assert labels({"k": letter * 65}, **ids) == IDS
    assert labels({"j": "1", "k": letter * 64}, **ids) == IDS


def test_attributes_that_cannot_be_written_do_not_cost_the_ids():
    assert labels({"k": object()}, trace_id=TRACE_ID, span_id=SPAN_ID) == IDS


def test_exemplars_are_sorted_by_time_then_by_value():
    given_order = [(2_000_000, 1.0), (1_000_000, 9.0), (1_999_999, 8.0), (1_000_000, -math.inf)]

    exemplars = prometheus_exemplars([sdk_exemplar(value=value, nanoseconds=time) for time, value in given_order])

    assert [(exemplar.timestamp, exemplar.value) for exemplar in exemplars] == [
        (1, -math.inf),
        (1, 8.0),
        (1, 9.0),
        (2, 1.0),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(sdk_exemplar(value=math.nan), id="whose value is NaN"),
        pytest.param(sdk_exemplar(value="1"), id="whose value is text"),
        pytest.param(sdk_exemplar(value=10**400), id="whose value is beyond every float"),
        pytest.param(sdk_exemplar(nanoseconds=None), id="without a time"),
        pytest.param(sdk_exemplar(nanoseconds=1.5), id="whose time is a fraction"),
        pytest.param(sdk_exemplar(nanoseconds=1 << 64), id="whose time is beyond the end of time"),
        pytest.param(sdk_exemplar(trace_id="0af7"), id="whose trace id is text"),
        pytest.param(sdk_exemplar(trace_id=1 << 128), id="whose trace id is too long"),
        pytest.param(sdk_exemplar(span_id=-1), id="whose span id is negative"),
        pytest.param(sdk_exemplar({1: "x"}), id="with an attribute whose name is a number"),
        pytest.param(sdk_exemplar(["a"]), id="whose attributes are a list"),
        pytest.param(SimpleNamespace(value=1.0), id="that has only a value"),
        pytest.param(None, id="that is none"),
    ],
)
def test_an_exemplar_is_left_out_and_others_stay(bad):
    assert prometheus_exemplars([bad, sdk_exemplar(value=2.0)]) == (Exemplar((), 2.0, 1_700_000_000_123),)


@pytest.mark.parametrize(
    ("value", "bucket"),
    [(-math.inf, 0), (0.0, 0), (0.1, 1), (5.0, 1), (7, 2), (10.0, 2), (10.1, 3), (math.inf, 3)],
)
def test_a_value_lies_in_the_first_bucket_whose_bound_is_not_less(value, bucket):
    assert bucket_of(value, [0.0, 5.0, 10.0]) == bucket


def test_what_the_sdk_samples_arrives_with_the_ids_of_its_span():
    reader = InMemoryMetricReader()
    views = [View(instrument_name="*", attribute_keys={"route"})]
    provider = MeterProvider([reader], views=views, exemplar_filter=AlwaysOnExemplarFilter())
    recorder = provider.get_meter("test").create_histogram("h", explicit_bucket_boundaries_advisory=[1.0, 5.0])
    with TracerProvider(shutdown_on_exit=False).get_tracer("test").start_as_current_span("work") as span:
        for value in (0.5, 3.0, 50.0):
            recorder.record(value, {"route": "/", "user.id": "u1"})

    (metric,) = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    provider.shutdown()
    (point,) = metric.data.data_points
    exemplars = prometheus_exemplars(point.exemplars)

    context = span.get_span_context()
    assert [bucket_of(exemplar.value, point.explicit_bounds) for exemplar in exemplars] == [0, 1, 2]
    assert {exemplar.labels for exemplar in exemplars} == {
        (("span_id", f"{context.span_id:016x}"), ("trace_id", f"{context.trace_id:032x}"), ("user.id", "u1"))
    }


text = st.text(["a", "B", ".", "é", "\N{GRINNING FACE}", "\udc80"])
attribute_values = st.one_of(text, st.booleans(), st.integers(), st.floats(), st.binary(), st.none(), st.lists(text))


@given(
    st.lists(
        st.builds(
            SdkExemplar,
            st.dictionaries(text, attribute_values, max_size=4),
            st.one_of(st.floats(), st.integers()),
            st.integers(0, LATEST * 1_000_000),
            st.one_of(st.none(), st.integers(0, (1 << 64) - 1)),
            st.one_of(st.none(), st.integers(0, (1 << 128) - 1)),
        ),
        max_size=5,
    )
)
def test_any_exemplars_come_out_in_order_with_labels_that_a_receiver_takes(exemplars):
    translated = prometheus_exemplars(exemplars)

    assert len(translated) == sum(not math.isnan(exemplar.value) for exemplar in exemplars)
    assert list(translated) == sorted(translated, key=lambda exemplar: (exemplar.timestamp, exemplar.value))
    for exemplar in translated:
        names = [name.encode() for name, _ in exemplar.labels]
        assert names == sorted(set(names))
        assert all(name and text and text.encode() for name, text in exemplar.labels)
        assert sum(len(name) + len(text) for name, text in exemplar.labels) <= 128
