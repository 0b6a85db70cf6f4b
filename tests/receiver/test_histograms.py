"""What makes a native histogram unsound; Prometheus answers some of these with 500, some with 204."""

from __future__ import annotations

import math
import struct

import pytest

from opentelemetry.exporter.prometheus_remote_write.proto import write_v1_pb2 as v1
from opentelemetry.exporter.prometheus_remote_write.proto import write_v2_pb2 as v2
from opentelemetry.exporter.prometheus_remote_write.receiver.decoding import decode
from opentelemetry.exporter.prometheus_remote_write.receiver.refusal import Refusal
from opentelemetry.exporter.prometheus_remote_write.receiver.validation import Rules
from tests.receiver.messages import NOW, request, request_2_0, series, series_2_0

STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]


def spans(*pairs):
    return [v2.BucketSpan(offset=offset, length=length) for offset, length in pairs]


def integer(**fields):
    """A sound histogram of integer counts, zero 1 + positive 2 + 3 + negative 4, with some fields replaced."""
    sound = {
        "count_int": 10,
        "sum": 5.0,
        "schema": 0,
        "zero_threshold": 0.001,
        "zero_count_int": 1,
        "positive_spans": spans((-1, 1), (2, 1)),
        "positive_deltas": [2, 1],
        "negative_spans": spans((0, 1)),
        "negative_deltas": [4],
        "timestamp": NOW,
    }
    return v2.Histogram(**{name: value for name, value in (sound | fields).items() if value is not None})


def floating(**fields):
    """A sound histogram of float counts, with some fields replaced."""
    return integer(
        **{
            "count_int": None,
            "zero_count_int": None,
            "positive_deltas": None,
            "negative_deltas": None,
            "count_float": 10.5,
            "zero_count_float": 1.25,
            "positive_counts": [2.25, 3.0],
            "negative_counts": [4.0],
        }
        | fields
    )


def custom(**fields):
    """A sound histogram with custom buckets, with some fields replaced."""
    sound = {
        "count_int": 6,
        "sum": 5.0,
        "schema": -53,
        "custom_values": [0.0, 1.0],
        "positive_spans": spans((0, 3)),
        "positive_deltas": [1, 1, 1],
        "timestamp": NOW,
    }
    return v2.Histogram(**(sound | fields))


def check(histogram):
    message = request_2_0(series_2_0(samples=[], histograms=[histogram]))
    decode("2.0", message.SerializeToString(), Rules("2.0").check)


@pytest.mark.parametrize(
    "histogram",
    [
        pytest.param(integer(), id="integer counts"),
        pytest.param(floating(), id="float counts"),
        pytest.param(custom(), id="custom buckets"),
        pytest.param(v2.Histogram(timestamp=NOW), id="an empty one"),
        pytest.param(integer(schema=-4), id="the coarsest schema"),
        pytest.param(integer(schema=8), id="the finest schema"),
        pytest.param(integer(sum=math.nan, count_int=12), id="NaN was observed twice: it is in no bucket"),
        pytest.param(floating(count_float=10.5 + 1e-12), id="float counts that do not add up to the last bit"),
        pytest.param(integer(positive_spans=spans((-1, 0), (0, 2))), id="a span of no buckets"),
        pytest.param(custom(custom_values=[], positive_spans=spans((0, 1)), positive_deltas=[6]), id="only +Inf"),
        pytest.param(custom(custom_values=[-5.0, 0.0]), id="negative bounds"),
        pytest.param(integer(sum=STALE, count_int=99, schema=77), id="a stale marker, of which nothing else counts"),
    ],
)
def test_sound_histogram_is_accepted(histogram):
    check(histogram)


@pytest.mark.parametrize(
    ("histogram", "reason"),
    [
        pytest.param(integer(count_int=11), "count is 11, but the buckets hold 10", id="count above the buckets"),
        pytest.param(integer(count_int=9), "count is 9, but the buckets hold 10", id="count below the buckets"),
        pytest.param(integer(sum=math.nan, count_int=9), "count is 9", id="NaN observed, but the count is lower"),
        pytest.param(floating(count_float=11.0), "count is 11.0, but the buckets hold 10.5", id="float count"),
        pytest.param(floating(count_float=math.nan), "count is nan", id="the count is NaN"),
        pytest.param(
            integer(positive_spans=spans((0, 3))),
            "positive spans have 3 buckets, but there are 2 counts",
            id="more buckets in the spans",
        ),
        pytest.param(
            integer(negative_spans=[]), "negative spans have 0 buckets, but there are 1 counts", id="no spans"
        ),
        pytest.param(
            integer(positive_spans=spans((5, 1), (-1, 1))),
            "a positive span after the first has a negative offset",
            id="a span that goes back",
        ),
        pytest.param(integer(positive_deltas=[2, -3]), "a positive bucket's count is not a number from 0", id="deltas"),
        pytest.param(
            integer(negative_deltas=[-1]), "a negative bucket's count is not a number from 0", id="first delta"
        ),
        pytest.param(floating(positive_counts=[-1.0, 1.0]), "a positive bucket's count", id="a negative float count"),
        pytest.param(floating(positive_counts=[math.nan, 1.0]), "a positive bucket's count", id="a NaN count"),
        pytest.param(floating(zero_count_float=-1.0), "zero_count is not a number from 0", id="a negative zero count"),
        pytest.param(integer(zero_threshold=-1.0), "zero_threshold -1.0 is not", id="a negative zero threshold"),
        pytest.param(integer(zero_threshold=math.nan), "zero_threshold nan is not", id="a zero threshold of NaN"),
        pytest.param(integer(schema=9), "schema 9 is neither in -4..8 nor -53", id="a schema too fine"),
        pytest.param(integer(schema=-5), "schema -5 is neither", id="a schema too coarse"),
        pytest.param(integer(reset_hint=4), "reset_hint 4 is not known", id="an unknown reset hint"),
        pytest.param(
            integer(custom_values=[1.0]), "schema 0 has no custom_values", id="custom bounds, not custom buckets"
        ),
        pytest.param(
            floating(count_float=None, count_int=10),
            "a native histogram with integer counts has zero_count_float",
            id="integer count, float zero count",
        ),
        pytest.param(
            integer(zero_count_int=None, positive_counts=[1.0]),
            "a native histogram with integer counts has positive_counts",
            id="integer count, float buckets",
        ),
        pytest.param(
            integer(count_int=None, count_float=10.0, zero_count_int=None),
            "a native histogram with float counts has negative_deltas",
            id="float count, integer buckets",
        ),
        pytest.param(custom(custom_values=[1.0, 0.0]), "custom_values are not finite and rising", id="unsorted bounds"),
        pytest.param(custom(custom_values=[1.0, 1.0]), "custom_values are not finite and rising", id="equal bounds"),
        pytest.param(custom(custom_values=[1.0, math.inf]), "custom_values are not finite", id="a bound of +Inf"),
        pytest.param(custom(custom_values=[-math.inf, 1.0]), "custom_values are not finite", id="a bound of -Inf"),
        pytest.param(custom(custom_values=[math.nan, 1.0]), "custom_values are not finite", id="a bound of NaN"),
        pytest.param(custom(custom_values=[1.0]), "buckets beyond the 1 custom_values", id="too few bounds"),
        pytest.param(custom(positive_spans=spans((1, 3))), "buckets beyond the 2 custom_values", id="too far right"),
        pytest.param(custom(positive_spans=spans((-1, 3))), "no negative offset", id="too far left"),
        pytest.param(
            custom(negative_spans=spans((0, 1)), negative_deltas=[1]), "no negative side", id="custom and negative"
        ),
        pytest.param(custom(zero_count_int=1), "no zero bucket", id="custom with a zero count"),
        pytest.param(custom(zero_threshold=1.0), "no zero bucket", id="custom with a zero threshold"),
    ],
)
def test_unsound_histogram_is_refused(histogram, reason):
    with pytest.raises(Refusal) as refusal:
        check(histogram)
    assert reason in refusal.value.reason
    assert refusal.value.reason.endswith('(series up{job="shop"})')


def test_custom_buckets_are_refused_in_1_0():
    histogram = v1.Histogram.FromString(custom().SerializeToString())
    message = request(series(samples=[], histograms=[histogram]))
    with pytest.raises(Refusal, match="has no custom buckets"):
        decode("1.0", message.SerializeToString(), Rules("1.0").check)


def test_deltas_become_absolute_counts():
    message = request_2_0(series_2_0(samples=[], histograms=[integer(), floating(timestamp=NOW + 1)]))
    integers, floats = decode("2.0", message.SerializeToString()).series[0].histograms
    assert (integers.positive_counts, integers.negative_counts, integers.zero_count) == ((2, 3), (4,), 1)
    assert (floats.positive_counts, floats.negative_counts, floats.zero_count) == ((2.25, 3.0), (4.0,), 1.25)
