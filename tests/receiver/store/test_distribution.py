from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.model.remote_write import Span
from opentelemetry.exporter.prometheus_remote_write.receiver import Histogram
from opentelemetry.exporter.prometheus_remote_write.receiver.store.distribution import (
    Bucket,
    increase,
    of_classic,
    of_native,
    pack,
    quantile,
    total,
)


def test_classic_buckets_are_not_cumulative_any_more():
    assert of_classic({math.inf: 10, 0.5: 2, 1.0: 7}) == {
        Bucket(0.0, 0.5): 2,
        Bucket(0.5, 1.0): 5,
        Bucket(1.0, math.inf): 3,
    }


def test_native_buckets_have_their_bounds_on_both_sides_of_zero():
    histogram = Histogram(
        0, 9, 0.0, 0, zero_threshold=0.1, zero_count=1,
        negative_spans=(Span(1, 1),), negative_counts=(3,), positive_spans=(Span(0, 1), Span(1, 1)),
        positive_counts=(2, 3),
    )  # fmt: skip
    assert list(of_native(histogram).items()) == [
        (Bucket(-2.0, -1.0, is_exponential=True), 3),
        (Bucket(-0.1, 0.1), 1),
        (Bucket(0.5, 1.0, is_exponential=True), 2),
        (Bucket(2.0, 4.0, is_exponential=True), 3),
    ]


def test_custom_buckets_have_the_bounds_that_were_sent():
    histogram = Histogram(
        0, 3, 0.0, -53, positive_spans=(Span(1, 2),), positive_counts=(2, 1), custom_bounds=(1.0, 5.0)
    )
    assert of_native(histogram) == {Bucket(1.0, 5.0): 2, Bucket(5.0, math.inf): 1}


@pytest.mark.parametrize(
    ("distribution", "q", "value"),
    [
        ({}, 0.5, None),
        ({Bucket(0, 1): 0}, 0.5, None),
        ({Bucket(0, 1): 10}, 0.5, 0.5),
        ({Bucket(0, 1): 5, Bucket(1, 3): 5}, 0.75, 2.0),
        ({Bucket(0, 1): 1, Bucket(1, math.inf): 9}, 0.9, 1),
        ({Bucket(-math.inf, -1): 9, Bucket(-1, 1): 1}, 0.5, -1),
        ({Bucket(1, 4, is_exponential=True): 2}, 0.5, 2.0),
        ({Bucket(-4, -1, is_exponential=True): 2}, 0.5, -2.0),
    ],
)
def test_quantile_is_as_promql_estimates_it(distribution, q, value):
    assert quantile(q, distribution) == (value if value is None else pytest.approx(value))


counts = st.lists(st.integers(0, 1000), min_size=1, max_size=20)


@given(counts, st.floats(0, 1), st.floats(0, 1))
def test_quantiles_rise_with_their_rank_and_stay_in_the_buckets(numbers, low, high):
    distribution = {Bucket(place, place + 1): count for place, count in enumerate(numbers)}
    found = [quantile(q, distribution) for q in sorted((low, high))]
    if any(numbers):
        assert 0 <= found[0] <= found[1] <= len(numbers)
    else:
        assert found == [None, None]


def test_growth_is_by_bucket_and_all_of_it_after_a_reset():
    before, after = {Bucket(0, 1): 2.0}, {Bucket(0, 1): 5.0, Bucket(1, 2): 1.0}
    assert increase(before, after) == {Bucket(0, 1): 3, Bucket(1, 2): 1}
    assert increase(after, before) == before


def test_sum_of_distributions_is_in_order():
    assert list(total([{Bucket(1, 2): 1.0}, {Bucket(0, 1): 2.0}, {Bucket(1, 2): 3.0}]).items()) == [
        (Bucket(0, 1), 2),
        (Bucket(1, 2), 4),
    ]


def test_states_of_one_histogram_share_their_buckets():
    first = pack({Bucket(0, 1): 1.0}, None)
    second = pack({Bucket(0, 1): 2.0}, first)
    assert second.buckets is first.buckets
    assert second.unpacked() == {Bucket(0, 1): 2.0}
