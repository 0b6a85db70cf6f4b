import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.delivery.retry import Backoff

BACKOFF = Backoff(0.1, 5.0)


def always(number):
    return lambda: number


def test_waits_double_from_the_minimum_to_the_maximum():
    waits = [BACKOFF.wait(attempt, None, always(0)) for attempt in range(1, 9)]
    assert waits == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])


def test_jitter_makes_a_wait_longer_by_a_tenth_at_most():
    assert BACKOFF.wait(1, None, always(1)) == pytest.approx(0.11)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20), st.floats(0.001, 10), st.floats(1, 100))
def test_no_wait_is_shorter_than_the_one_before_by_more_than_a_fifth(randoms, minimum, factor):
    backoff = Backoff(minimum, minimum * factor)
    waits = [backoff.wait(attempt, None, always(number)) for attempt, number in enumerate(randoms, 1)]
    for before, after in itertools.pairwise(waits):
        assert after >= 0.8 * before
    assert min(waits) >= minimum


@pytest.mark.parametrize("attempt", [1, 3, 10_000])
def test_what_the_receiver_wishes_wins_and_is_never_cut(attempt):
    assert BACKOFF.wait(attempt, 30.0, always(0)) == 30.0
    assert BACKOFF.wait(attempt, 0.01, always(0)) == 0.01
    assert BACKOFF.wait(attempt, 30.0, always(1)) > 30.0


@pytest.mark.parametrize("wish", [None, 0.0])
def test_no_wish_is_our_own_wait(wish):
    assert BACKOFF.wait(2, wish, always(0)) == pytest.approx(0.2)
