import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.delivery.retry import Backoff, Pace

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


# --- until when ---


def time_for_retries_after(*exports, interval=60.0):
    """How long the last of the exports may retry; each is given as when it begins and how long it lasts."""
    pace = Pace(interval)
    for began, lasted in exports:
        until = pace.begin(began)
        pace.end(began + lasted)
    return until - began


@pytest.mark.parametrize(
    ("exports", "seconds"),
    [
        pytest.param([(0, 0)], 30, id="half of what is known before"),
        pytest.param([(0, 0.1), (10, 0.1)], 5, id="half of the interval that is seen"),
        pytest.param([(0, 0.1), (10, 0.1), (30, 0)], 10, id="the newest interval counts"),
        pytest.param([(0, 9), (10, 0)], 30, id="an export that was held up says nothing of the interval"),
        pytest.param([(0, 0), (0.2, 0)], 30, id="somebody flushes: that is no interval"),
        pytest.param([(0, 0), (1, 0)], 0.5, id="a second is one"),
    ],
)
def test_retries_end_after_half_an_interval(exports, seconds):
    assert time_for_retries_after(*exports) == pytest.approx(seconds)
