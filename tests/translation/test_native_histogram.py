from __future__ import annotations

import json
import math
from collections import Counter
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ExponentialHistogram, InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View

from opentelemetry.exporter.prometheus_remote_write.errors import Untranslatable
from opentelemetry.exporter.prometheus_remote_write.model.remote_write import NativeHistogram, Span
from opentelemetry.exporter.prometheus_remote_write.translation.native_histogram import (
    custom_buckets,
    exponential,
)

CASES = json.loads((Path(__file__).parents[1] / "vectors" / "histogram_layouts.json").read_text(encoding="utf-8"))[
    "cases"
]


def cases(kind, chosen=lambda _: True):
    return [
        pytest.param(case, id=f"{case['name']} (scaled down by {case.get('scale_down', 0)})")
        for case in CASES
        if case["kind"] == kind and chosen(case)
    ]


def point(**fields):
    empty = {
        "scale": 0,
        "zero_count": 0,
        "positive_offset": 0,
        "positive_counts": (),
        "negative_offset": 0,
        "negative_counts": (),
        "sum": 0.0,
        "count": 0,
    }
    return exponential(**{**empty, **fields})


def buckets(spans, deltas):
    """Returns bucket number -> count, as a receiver reads spans and deltas; buckets without values are left out."""
    numbers = []
    end = 0
    for span in spans:
        numbers += range(end + span.offset, end + span.offset + span.length)
        end += span.offset + span.length
    return {number: count for number, count in zip(numbers, accumulate(deltas), strict=True) if count}


def positive(histogram):
    return buckets(histogram.positive_spans, histogram.positive_deltas)


def negative(histogram):
    return buckets(histogram.negative_spans, histogram.negative_deltas)


def by_number(nonzero_buckets):
    return {int(number): count for number, count in nonzero_buckets.items()}


def has_only_needed_buckets(spans, deltas):
    """Tells whether spans and deltas fit, no span is empty or touches the one before, none begins or ends empty."""
    counts = list(accumulate(deltas))
    if sum(span.length for span in spans) != len(counts) or any(count < 0 for count in counts):
        return False
    start = 0
    for position, span in enumerate(spans):
        run = counts[start : start + span.length]
        if not run or not run[0] or not run[-1] or (position and span.offset <= 2):
            return False
        if any(window == [0, 0, 0] for window in zip(run, run[1:], run[2:], strict=False)):
            return False
        start += span.length
    return True


@pytest.mark.parametrize("case", cases("exponential"))
def test_dense_buckets_hold_the_same_counts_in_sparse_form(case):
    counts, total = case["bucket_counts"], sum(case["bucket_counts"])
    scale = 8 + case["scale_down"] if case["scale_down"] else case.get("scale", 0)
    layout = {"scale": scale, "count": total}
    expected = by_number(case["nonzero_buckets"])

    histogram = point(**layout, positive_offset=case["offset"], positive_counts=counts)
    mirrored = point(**layout, negative_offset=case["offset"], negative_counts=counts)

    assert positive(histogram) == expected == negative(mirrored)
    assert histogram.schema == min(scale, 8)
    assert has_only_needed_buckets(histogram.positive_spans, histogram.positive_deltas)


def is_tidy(case):
    spans = [Span(**span) for span in case["spans"]]
    return has_only_needed_buckets(spans, case["deltas"]) and not case.get("upstream_misplaces_counts")


@pytest.mark.parametrize("case", cases("exponential", is_tidy))
def test_spans_that_were_recorded_without_anything_to_leave_out_come_out_alike(case):
    scale = 8 + case["scale_down"]
    histogram = point(
        scale=scale,
        positive_offset=case["offset"],
        positive_counts=case["bucket_counts"],
        count=sum(case["bucket_counts"]),
    )

    assert histogram.positive_spans == tuple(Span(**span) for span in case["spans"])
    assert histogram.positive_deltas == tuple(case["deltas"])


@pytest.mark.parametrize("case", cases("custom_buckets"))
def test_explicit_buckets_hold_the_same_counts_in_sparse_form(case):
    counts = case["bucket_counts"]
    bounds = case.get("explicit_bounds", list(range(len(counts) - 1)))

    histogram = custom_buckets(bounds, counts, 1.5, sum(counts))

    assert positive(histogram) == by_number(case["nonzero_buckets"])
    assert has_only_needed_buckets(histogram.positive_spans, histogram.positive_deltas)
    assert histogram.custom_bounds == tuple(bounds)


@pytest.mark.parametrize("case", cases("exponential_point"))
def test_an_exponential_point_becomes_the_recorded_native_histogram(case):
    if case["expected"] is None or case["sum"] is None:
        # Recorded: a sum of 0 where it was not set. The specification drops such a point, and so do we.
        with pytest.raises(Untranslatable):
            point(scale=case["scale"], sum=case.get("sum", 0.0))
        return
    expected = case["expected"]
    counts = case["positive"]["bucket_counts"], case["negative"]["bucket_counts"]

    histogram = point(
        scale=case["scale"],
        zero_count=case["zero_count"],
        positive_offset=case["positive"]["offset"],
        positive_counts=counts[0],
        negative_offset=case["negative"]["offset"],
        negative_counts=counts[1],
        sum=case["sum"],
        # Some recorded counts are not what the buckets hold, which a receiver would refuse.
        count=case["zero_count"] + sum(counts[0]) + sum(counts[1]),
    )

    assert histogram == NativeHistogram(
        count=histogram.count,
        sum=expected["sum"],
        schema=expected["schema"],
        zero_threshold=expected["zero_threshold"],
        zero_count=expected["zero_count"],
        negative_spans=tuple(Span(**span) for span in expected["negative_spans"]),
        negative_deltas=tuple(expected["negative_deltas"]),
        positive_spans=tuple(Span(**span) for span in expected["positive_spans"]),
        positive_deltas=tuple(expected["positive_deltas"]),
    )


@pytest.mark.parametrize("case", cases("nhcb_point"))
def test_an_explicit_point_becomes_the_recorded_native_histogram(case):
    expected = case["expected"]

    assert custom_buckets(
        case["explicit_bounds"], case["bucket_counts"], case["sum"], case["count"]
    ) == NativeHistogram(
        count=expected["count"],
        sum=expected["sum"],
        schema=-53,
        zero_threshold=0.0,
        zero_count=0,
        negative_spans=(),
        negative_deltas=(),
        positive_spans=tuple(Span(**span) for span in expected["positive_spans"]),
        positive_deltas=tuple(expected["positive_deltas"]),
        custom_bounds=tuple(expected["custom_values"]),
    )


@pytest.mark.parametrize(
    ("counts", "spans", "deltas"),
    [
        pytest.param([], (), (), id="no buckets, no spans"),
        pytest.param([0, 0, 0, 0], (), (), id="buckets without values, no spans"),
        pytest.param([0, 0, 0, 0, 5], (Span(5, 1),), (5,), id="a span does not begin with empty buckets"),
        pytest.param([5, 0, 0, 0, 0], (Span(1, 1),), (5,), id="a span does not end with empty buckets"),
        pytest.param([1, 0, 2], (Span(1, 3),), (1, -1, 2), id="one empty bucket is filled in"),
        pytest.param([1, 0, 0, 2], (Span(1, 4),), (1, -1, 0, 2), id="two empty buckets are filled in"),
        pytest.param([1, 0, 0, 0, 2], (Span(1, 1), Span(3, 1)), (1, 1), id="three empty buckets divide two spans"),
    ],
)
def test_spans_cover_what_holds_values_and_short_gaps(counts, spans, deltas):
    histogram = point(positive_counts=counts, count=sum(counts))

    assert (histogram.positive_spans, histogram.positive_deltas) == (spans, deltas)


def test_a_merged_bucket_after_an_empty_one_keeps_all_its_counts_in_one_place():
    # Other implementations write {-8: 4, -7: 8} here.
    histogram = point(scale=10, positive_offset=-33, positive_counts=[0, 4, 4, 4, 0], count=12)

    assert positive(histogram) == {-7: 12}


def test_an_exact_power_of_two_lies_at_the_upper_bound_of_its_bucket():
    reader = InMemoryMetricReader()
    aggregation = ExponentialBucketHistogramAggregation()
    provider = MeterProvider([reader], views=[View(instrument_name="*", aggregation=aggregation)])
    recorder = provider.get_meter("test").create_up_down_counter("h")  # takes negative values too
    values = [0.0, 0.25, 1.0, 1.5, 2.0, 100.0, -1.0, -3.0]

    for seen in (values, values * 2):  # merged with what was collected before
        for value in values:
            recorder.add(value)
        (metric,) = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
        assert isinstance(metric.data, ExponentialHistogram)
        (data_point,) = metric.data.data_points
        histogram = exponential(
            scale=data_point.scale,
            zero_count=data_point.zero_count,
            positive_offset=data_point.positive.offset,
            positive_counts=data_point.positive.bucket_counts,
            negative_offset=data_point.negative.offset,
            negative_counts=data_point.negative.bucket_counts,
            sum=data_point.sum,
            count=data_point.count,
        )
        base = 2**2**-histogram.schema

        def bucket(value, base=base):
            return math.ceil(round(math.log(abs(value), base), 9))

        assert histogram.count == len(seen)
        assert histogram.zero_count == seen.count(0.0)
        assert positive(histogram) == Counter(bucket(value) for value in seen if value > 0)
        assert negative(histogram) == Counter(bucket(value) for value in seen if value < 0)
    provider.shutdown()


@pytest.mark.parametrize(
    ("own", "sent"),
    [
        pytest.param(0.0, 1e-128, id="the specification's where the point has none"),
        pytest.param(0.5, 0.5, id="the point's own"),
    ],
)
def test_the_zero_threshold_is(own, sent):
    assert point(zero_threshold=own).zero_threshold == sent


def test_a_nan_counts_without_a_bucket():
    histogram = point(positive_counts=[2], sum=math.nan, count=3)

    assert histogram.count == 3
    assert math.isnan(histogram.sum)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"scale": -5}, "scale", id="coarser than any schema"),
        pytest.param({"sum": None}, "sum", id="no sum"),
        pytest.param({"sum": 10**400}, "sum", id="a sum beyond every float"),
        pytest.param({"positive_counts": [1, 2], "count": 4}, "buckets", id="a value that is in no bucket"),
        pytest.param({"positive_counts": [1, 2], "count": 2}, "buckets", id="a value that was not counted"),
        pytest.param({"positive_counts": [2], "sum": math.nan, "count": 1}, "buckets", id="the same, and a NaN"),
        pytest.param({"negative_counts": [3, -1], "count": 2}, "buckets", id="a negative bucket count"),
        pytest.param({"positive_counts": [3], "zero_count": -1, "count": 2}, "buckets", id="a negative zero count"),
        pytest.param({"sum": math.nan, "count": -1}, "buckets", id="a negative count"),
        pytest.param({"positive_counts": [0.5, 0.5], "count": 1}, "buckets", id="a part of a value"),
        pytest.param({"positive_counts": [1 << 63], "count": 1 << 63}, "buckets", id="more than a message can hold"),
        pytest.param({"positive_counts": [1], "positive_offset": 1 << 40, "count": 1}, "buckets", id="no such bucket"),
    ],
)
def test_an_exponential_point_is_refused_that_has(fields, reason):
    with pytest.raises(Untranslatable) as refused:
        point(**fields)

    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("bounds", "counts", "count", "reason"),
    [
        pytest.param([1.0], [1, 1], 9, "buckets", id="values that are in no bucket"),
        pytest.param([1.0], [], 3, "buckets", id="values and no buckets"),
        pytest.param([1.0], [3, -1], 2, "buckets", id="a negative bucket count"),
        pytest.param([1.0], [1, 1, 1], 3, "bounds", id="more buckets than its bounds divide"),
        pytest.param([2.0, 1.0], [1, 1, 1], 3, "bounds", id="descending bounds"),
        pytest.param([1.0, 1.0], [1, 1, 1], 3, "bounds", id="a bound twice"),
        pytest.param([math.nan], [1, 1], 2, "bounds", id="a bound that is no number"),
        pytest.param([-math.inf, 1.0], [0, 1, 1], 2, "bounds", id="a bound below every number"),
        pytest.param([math.inf, math.inf], [1, 1, 1], 3, "bounds", id="two bounds above every number"),
    ],
)
def test_an_explicit_point_stays_classic_that_has(bounds, counts, count, reason):
    with pytest.raises(Untranslatable) as refused:
        custom_buckets(bounds, counts, 1.0, count)

    assert refused.value.reason == reason


def test_an_explicit_infinite_bound_is_left_out_and_its_buckets_become_one():
    histogram = custom_buckets([1.0, math.inf], [1, 2, 4], 3.0, 7)

    assert histogram.custom_bounds == (1.0,)
    assert positive(histogram) == {0: 1, 1: 6}


def test_trailing_buckets_may_be_missing_where_they_hold_nothing():
    histogram = custom_buckets([1.0, 2.0, 3.0], [1, 1], 3.0, 2)

    assert histogram.custom_bounds == (1.0, 2.0, 3.0)
    assert positive(histogram) == {0: 1, 1: 1}


dense = st.lists(st.one_of(st.just(0), st.integers(0, 1 << 50)), max_size=60)
offsets = st.integers(-5000, 5000)


@given(st.integers(-4, 20), st.integers(0, 9), st.tuples(offsets, dense), st.tuples(offsets, dense))
def test_every_count_is_in_the_bucket_that_the_rule_names(scale, zero_count, above, below):
    histogram = point(
        scale=scale,
        zero_count=zero_count,
        positive_offset=above[0],
        positive_counts=above[1],
        negative_offset=below[0],
        negative_counts=below[1],
        count=zero_count + sum(above[1]) + sum(below[1]),
    )

    shift = max(scale - 8, 0)
    for decoded, (offset, counts) in ((positive(histogram), above), (negative(histogram), below)):
        expected = Counter()
        for position, count in enumerate(counts):
            expected[((offset + position) >> shift) + 1] += count
        assert decoded == +expected
    held = sum(positive(histogram).values()) + sum(negative(histogram).values())
    assert held + histogram.zero_count == histogram.count
    assert has_only_needed_buckets(histogram.positive_spans, histogram.positive_deltas)
    assert has_only_needed_buckets(histogram.negative_spans, histogram.negative_deltas)


@given(st.sets(st.floats(allow_nan=False, allow_infinity=False), max_size=40), st.data())
def test_every_explicit_bucket_keeps_its_place(bounds, data):
    counts = data.draw(st.lists(st.integers(0, 3), min_size=len(bounds) + 1, max_size=len(bounds) + 1))

    histogram = custom_buckets(sorted(bounds), counts, 1.0, sum(counts))

    assert positive(histogram) == {place: count for place, count in enumerate(counts) if count}
    assert has_only_needed_buckets(histogram.positive_spans, histogram.positive_deltas)
