"""What the protocol forbids, one request each; Prometheus accepts most of these and then drops or mends the data."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.proto import write_v1_pb2 as v1
from opentelemetry.exporter.prometheus_remote_write.proto import write_v2_pb2 as v2
from opentelemetry.exporter.prometheus_remote_write.receiver.decoding import decode
from opentelemetry.exporter.prometheus_remote_write.receiver.refusal import Refusal
from opentelemetry.exporter.prometheus_remote_write.receiver.validation import Rules
from tests.receiver.messages import (
    NOW,
    SYMBOLS,
    UP,
    exemplar,
    request,
    request_2_0,
    sample,
    series,
    series_2_0,
)


def check(message):
    """Take a message through the bytes, as the receiver does."""
    protocol = "2.0" if isinstance(message, v2.Request) else "1.0"
    decode(protocol, message.SerializeToString(), Rules(protocol).check)


NAMED = ("__name__", "up")
LABEL_FAULTS = [
    pytest.param([], "there is no __name__ (series {})", id="no label at all"),
    pytest.param([("a", "1")], 'there is no __name__ (series {a="1"})', id="no name"),
    pytest.param([("__name__", "")], "the value of label '__name__' is empty", id="an empty name"),
    pytest.param([("", "1"), NAMED], "a label name is empty", id="an empty label name"),
    pytest.param([NAMED, ("a", "")], "the value of label 'a' is empty (series up{a=\"\"})", id="an empty label value"),
    pytest.param([NAMED, ("b", "1"), ("a", "2")], "labels are not sorted: 'a' comes after 'b'", id="unsorted labels"),
    pytest.param([NAMED, ("A", "1")], "labels are not sorted: 'A' comes after '__name__'", id="a capital after __"),
    pytest.param([NAMED, ("a", "1"), ("a", "1")], "label 'a' is there twice", id="the same label twice"),
    pytest.param([NAMED, ("a", "1"), ("a", "2")], "label 'a' is there twice", id="a label name twice"),
]


@pytest.mark.parametrize(("labels", "reason"), LABEL_FAULTS)
def test_faulty_labels_are_refused_in_1_0(labels, reason):
    with pytest.raises(Refusal) as refusal:
        check(request(series(labels)))
    assert reason in refusal.value.reason
    assert refusal.value.status == 400


@pytest.mark.parametrize(("labels", "reason"), LABEL_FAULTS)
def test_faulty_labels_are_refused_in_2_0(labels, reason):
    symbols = list(dict.fromkeys(["", *(text for label in labels for text in label)]))
    refs = [symbols.index(text) for label in labels for text in label]
    with pytest.raises(Refusal) as refusal:
        check(request_2_0(series_2_0(refs), symbols=symbols))
    assert reason in refusal.value.reason


def histogram(timestamp=NOW):
    return v1.Histogram(timestamp=timestamp)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        pytest.param(request(series(), series()), "the series is in the request twice", id="a series twice"),
        pytest.param(
            request(series([("__name__", "http.hits")])),
            "protocol 1.0 does not allow the metric name 'http.hits'",
            id="a dot in the metric name",
        ),
        pytest.param(
            request(series([NAMED, ("http.route", "/")])),
            "protocol 1.0 does not allow the label name 'http.route'",
            id="a dot in a label name",
        ),
        pytest.param(
            request(series([NAMED, ("a:b", "/")])),
            "protocol 1.0 does not allow the label name 'a:b'",
            id="a colon in a label name",
        ),
        pytest.param(
            request(series(samples=[sample(1, NOW + 1), sample(2, NOW)])),
            f'samples are not in order of time: {NOW} comes after {NOW + 1} (series up{{job="shop"}})',
            id="samples out of order",
        ),
        pytest.param(
            request(series(samples=[sample(1), sample(1)])),
            f"two samples have the timestamp {NOW}",
            id="two samples at one time",
        ),
        pytest.param(
            request(series(samples=[], histograms=[histogram(NOW + 1), histogram()])),
            "histograms are not in order of time",
            id="histograms out of order",
        ),
        pytest.param(
            request(series(samples=[], histograms=[histogram(), histogram()])),
            "two histograms have the timestamp",
            id="two histograms at one time",
        ),
        pytest.param(
            request(series(samples=[sample(1, NOW // 1000)])),
            f"timestamp {NOW // 1000} is not in milliseconds",
            id="seconds",
        ),
        pytest.param(
            request(series(samples=[sample(1, NOW * 1_000_000)])),
            f"timestamp {NOW * 1_000_000} is not in milliseconds",
            id="nanoseconds",
        ),
        pytest.param(request(series(samples=[sample(1, 0)])), "timestamp 0 is not in milliseconds", id="no time"),
        pytest.param(
            request(series(samples=[], histograms=[histogram(1)])),
            "timestamp 1 is not in milliseconds",
            id="a histogram's time not in milliseconds",
        ),
        pytest.param(
            request(series(exemplars=[exemplar(timestamp=NOW + 1), exemplar()])),
            "exemplars are not in order of time",
            id="exemplars out of order",
        ),
        pytest.param(
            request(series(exemplars=[exemplar(2.0), exemplar(1.0)])),
            "exemplars are not in order of time, then value",
            id="exemplars of one time out of order",
        ),
        pytest.param(
            request(series(exemplars=[exemplar(timestamp=0)])),
            "exemplar: timestamp 0 is not in milliseconds",
            id="an exemplar without a time",
        ),
        pytest.param(
            request(series(exemplars=[exemplar(labels=[("b", "1"), ("a", "1")])])),
            "exemplar: labels are not sorted",
            id="an exemplar's labels unsorted",
        ),
        pytest.param(
            request(series(exemplars=[exemplar(labels=[("trace_id", "x" * 121)])])),
            "exemplar: its labels have more than 128 characters",
            id="an exemplar's labels too long",
        ),
        pytest.param(
            request(metadata=[v1.MetricMetadata(type="GAUGE")]),
            "metadata of family '': the name is empty",
            id="nameless",
        ),
        pytest.param(
            request(metadata=[v1.MetricMetadata(metric_family_name="up")] * 2),
            "metadata of family 'up': the name is there twice",
            id="metadata of a family twice",
        ),
        pytest.param(
            request(metadata=[v1.MetricMetadata(metric_family_name="up", type=9)]),
            "metadata has the type 9, which the protocol does not have",
            id="an unknown type",
        ),
        pytest.param(
            request_2_0(series_2_0(), series_2_0()), "the series is in the request twice", id="2.0: a series twice"
        ),
        pytest.param(
            request_2_0(series_2_0(samples=[])),
            'there is neither a sample nor a histogram (series up{job="shop"})',
            id="2.0: a series without samples",
        ),
        pytest.param(
            request_2_0(series_2_0(samples=[], exemplars=[v2.Exemplar(timestamp=NOW)])),
            "there is neither a sample nor a histogram",
            id="2.0: an exemplar alone",
        ),
        pytest.param(
            request_2_0(series_2_0(histograms=[v2.Histogram(timestamp=NOW + 1)])),
            "samples and histograms are mixed",
            id="2.0: samples and histograms mixed",
        ),
        pytest.param(
            request_2_0(series_2_0(samples=[v2.Sample(timestamp=NOW, start_timestamp=NOW // 1000)])),
            f"start timestamp {NOW // 1000} is not in milliseconds",
            id="2.0: the start in seconds",
        ),
        pytest.param(
            request_2_0(series_2_0(samples=[v2.Sample(timestamp=NOW, start_timestamp=NOW + 1)])),
            f"start timestamp {NOW + 1} is after timestamp {NOW}",
            id="2.0: the start after the sample",
        ),
        pytest.param(request_2_0(symbols=["a"]), "symbols[0] is not the empty string", id="2.0: first symbol"),
        pytest.param(request_2_0(series_2_0([]), symbols=[]), "symbols[0] is not", id="2.0: no symbols"),
        pytest.param(request_2_0(symbols=["", "a", "b", "a"]), "symbol 'a' is in the table twice", id="2.0: duplicate"),
        pytest.param(
            request_2_0(series_2_0([1, 2, 3])),
            "labels_refs of a series: 3 references do not pair up: [1, 2, 3]",
            id="2.0: odd references",
        ),
        pytest.param(
            request_2_0(series_2_0([1, len(SYMBOLS)])),
            f"labels_refs of a series: reference {len(SYMBOLS)} is beyond the table of {len(SYMBOLS)} symbols",
            id="2.0: a reference beyond the table",
        ),
        pytest.param(
            request_2_0(series_2_0(exemplars=[v2.Exemplar(labels_refs=[7], timestamp=NOW)])),
            'labels_refs of an exemplar: 1 references do not pair up: [7] (series up{job="shop"})',
            id="2.0: an exemplar's odd references",
        ),
        pytest.param(
            request_2_0(series_2_0(exemplars=[v2.Exemplar(labels_refs=[7, 99], timestamp=NOW)])),
            "labels_refs of an exemplar: reference 99 is beyond",
            id="2.0: an exemplar's reference beyond the table",
        ),
        pytest.param(
            request_2_0(series_2_0(metadata=v2.Metadata(help_ref=99))), "help_ref: reference 99", id="2.0: help_ref"
        ),
        pytest.param(
            request_2_0(series_2_0(metadata=v2.Metadata(unit_ref=99))), "unit_ref: reference 99", id="2.0: unit_ref"
        ),
        pytest.param(
            request_2_0(series_2_0(metadata=v2.Metadata(type=8))), "metadata has the type 8", id="2.0: an unknown type"
        ),
    ],
)
def test_faulty_message_is_refused(message, reason):
    with pytest.raises(Refusal) as refusal:
        check(message)
    assert reason in refusal.value.reason
    assert refusal.value.status == 400


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(request(), id="an empty message, with which a sender may ask for the version"),
        pytest.param(request(series([("A", "1"), NAMED, ("a", "1")])), id="a capital letter sorts before the name"),
        pytest.param(request(series([NAMED, ("a", "\n\x00€😀")])), id="any UTF-8 in a value"),
        pytest.param(request(series(samples=[sample(each, NOW + at) for at, each in enumerate([
            math.inf, -math.inf, math.nan, -0.0, 5e-324])])), id="every kind of number"),
        pytest.param(request(series(exemplars=[exemplar(labels=[])])), id="an exemplar without labels"),
        pytest.param(request(series(exemplars=[exemplar(1.0), exemplar(1.0)])), id="two equal exemplars"),
        pytest.param(request_2_0(), id="2.0: no series"),
        pytest.param(request_2_0(symbols=[]), id="2.0: nothing at all"),
        pytest.param(
            request_2_0(series_2_0([1, 2]), symbols=["", "__name__", "http.hits"]), id="2.0: a dot in the name"
        ),
        pytest.param(
            request_2_0(series_2_0(samples=[v2.Sample(timestamp=NOW, start_timestamp=NOW)])),
            id="2.0: the start at the sample",
        ),
    ],
)  # fmt: skip
def test_message_at_the_edge_of_the_rules_is_accepted(message):
    check(message)


@pytest.mark.parametrize(
    ("protocol", "content", "reason"),
    [
        pytest.param("1.0", b"\xff", "the body is no WriteRequest", id="no protobuf"),
        pytest.param("2.0", b"\xff", "the body is no Request", id="2.0: no protobuf"),
        pytest.param("1.0", b"\x0a\x05\x0a\x03\x0a\x01\xff", "is no WriteRequest with strings in UTF-8", id="UTF-8"),
        pytest.param("2.0", b"\x22\x01\xff", "the body is no Request with strings in UTF-8", id="2.0: UTF-8"),
        pytest.param(
            "1.0",
            request_2_0(series_2_0()).SerializeToString(),
            "a field that the protocol does not have: WriteRequest 4",
            id="2.0 sent as 1.0",
        ),
        pytest.param(
            "2.0",
            request(series()).SerializeToString(),
            "a field that the protocol does not have: Request 1",
            id="1.0 sent as 2.0",
        ),
        pytest.param(
            "1.0",
            request(series(samples=[], histograms=[
                v1.Histogram.FromString(v2.Histogram(timestamp=NOW, start_timestamp=NOW).SerializeToString())
            ])).SerializeToString(),
            "a field that the protocol does not have: Histogram 17",
            id="1.0: a histogram with a start timestamp",
        ),
        pytest.param(
            "2.0",
            request_2_0(v2.TimeSeries.FromString(b"\x30\x01")).SerializeToString(),
            "a field that the protocol does not have: TimeSeries 6",
            id="2.0: the created timestamp of rc.3",
        ),
    ],
)  # fmt: skip
def test_bytes_that_are_no_such_message_are_refused(protocol, content, reason):
    with pytest.raises(Refusal) as refusal:
        decode(protocol, content)
    assert reason in refusal.value.reason


@given(protocol=st.sampled_from(["1.0", "2.0"]), content=st.binary(max_size=200))
def test_any_bytes_are_either_accepted_or_refused_in_one_line(protocol, content):
    try:
        decode(protocol, content, Rules(protocol).check)
        reason = ""
    except Refusal as refusal:
        reason = refusal.reason
    assert reason.isprintable()


NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True).filter(lambda name: name != "__name__")
LABELS = st.dictionaries(NAMES, st.text(st.characters(exclude_categories=["Cs"]), min_size=1), max_size=5).map(
    lambda labels: tuple(sorted({**labels, "__name__": "up"}.items()))
)


@given(st.dictionaries(LABELS, st.lists(st.tuples(st.floats(), st.integers(10**12, 10**16)), min_size=1, max_size=4)))
def test_every_message_that_keeps_the_rules_is_decoded_as_it_was_built(all_series):
    all_series = {labels: sorted({at: value for value, at in points}.items()) for labels, points in all_series.items()}
    message = request(
        *(series(labels, [sample(value, at) for at, value in points]) for labels, points in all_series.items())
    )
    decoded = decode("1.0", message.SerializeToString(), Rules("1.0").check)
    assert repr({each.labels: [(one.timestamp, one.value) for one in each.samples] for each in decoded.series}) == repr(
        all_series
    )


@given(LABELS, st.randoms())
def test_labels_in_any_other_order_are_refused(labels, random):
    shuffled = list(labels)
    random.shuffle(shuffled)
    if tuple(shuffled) == labels:
        check(request(series(labels)))
    else:
        with pytest.raises(Refusal, match="labels are not sorted"):
            check(request(series(shuffled)))


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        pytest.param([*UP, ("z", "x" * 100_000)], "timestamp 0 is not", id="a long value"),
        pytest.param([*UP, ("é" * 100_000, "x")], "protocol 1.0 does not allow the label name", id="a long name"),
    ],
)
def test_long_reason_is_cut_and_the_rule_stands_first(labels, reason):
    with pytest.raises(Refusal) as refusal:
        check(request(series(labels, samples=[sample(1, 0)])))
    assert refusal.value.reason.startswith(reason)
    assert len(refusal.value.reason) < 2200
