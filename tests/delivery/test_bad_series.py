import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.delivery.bad_series import BadSeries, Bisection
from tests.fake_receiver import Clock

A, B = ((("__name__", name),) for name in "ab")


def searched(series, bad, most=10_000):
    """A search that has come to its end, and the groups that were tried."""
    search, tried = Bisection(series, most), []
    while group := search.next():
        tried.append(list(group))
        if set(group) & bad:
            search.refused(group)
        else:
            search.accepted()
    return search, tried


@given(st.integers(1, 300), st.sets(st.integers(0, 299), max_size=10))
def test_exactly_the_bad_series_are_found(series, bad):
    bad = {position for position in bad if position < series}
    search, _ = searched(series, bad)
    if not search.is_hopeless and bad:
        assert search.alone == sorted(bad)
        assert not search.given_up


@given(st.integers(0, 300), st.sets(st.integers(0, 299)), st.integers(0, 50))
def test_each_series_is_accepted_found_or_given_up(series, bad, most):
    search, tried = searched(series, bad, most)
    accepted = {position for group in tried if not set(group) & bad for position in group}
    assert sorted([*accepted, *search.alone, *search.given_up]) == list(range(series))
    assert len(tried) <= 2 * most + 2


def test_groups_are_tried_in_their_order():
    _, tried = searched(8, {2, 7})
    last = [group[-1] for group in tried if len(group) == 1 or not set(group) & {2, 7}]
    assert last == sorted(last)


@pytest.mark.parametrize("series", [100, 2000, 10_000])
def test_where_nothing_is_good_the_search_ends_soon(series):
    search, tried = searched(series, set(range(series)))
    assert search.is_hopeless
    assert len(tried) < 25


@pytest.mark.parametrize("series", [200, 2000])
@pytest.mark.parametrize("start", [0.0, 0.3, 0.9])
def test_bad_neighbours_do_not_make_a_search_hopeless(series, start):
    first = int(series * start)
    search, _ = searched(series, set(range(first, first + series // 20)))
    assert not search.is_hopeless


def test_where_nothing_good_is_expected_the_search_goes_on():
    search = Bisection(64, 1000, may_be_hopeless=False)
    while group := search.next():
        search.refused(group)
    assert sorted(search.alone) == list(range(64))


def test_what_was_tried_last_is_tried_last_again():
    bad_series = BadSeries(Clock())
    bad_series.hold_apart(1, [A, B])
    bad_series.hold_apart(1, [A])
    assert bad_series.held(1) == {B: 0, A: 1}


def test_what_waits_for_its_turn_is_known():
    search = Bisection(8, 100)
    assert list(search.next()) == [0, 1, 2, 3]
    assert search.untried() == [4, 5, 6, 7]


def test_bad_series_are_held_for_a_while():
    clock = Clock()
    bad_series = BadSeries(clock)
    assert bad_series.held(1) == {}
    bad_series.hold_apart(1, [A])
    clock.now += 300
    bad_series.hold_apart(1, [B])
    assert bad_series.held(1) == {A: 0, B: 1}
    assert bad_series.held(2) == {}
    clock.now += 301
    assert bad_series.held(1) == {B: 0}
    bad_series.release(1, [A, B])
    assert bad_series.held(1) == {}


def test_what_is_over_is_forgotten_of_batches_that_are_gone_too():
    clock = Clock()
    bad_series = BadSeries(clock)
    for batch in range(100):
        bad_series.hold_apart(batch, [A])
        bad_series.give_up(batch)
        clock.now += 601
    bad_series.hold_apart(0, [B])
    assert len(bad_series._until) == 1
    assert not bad_series._hopeless


def test_a_search_that_was_in_vain_is_not_repeated_for_a_while():
    clock = Clock()
    bad_series = BadSeries(clock)
    assert not bad_series.is_hopeless(1)
    bad_series.give_up(1)
    assert bad_series.is_hopeless(1)
    assert not bad_series.is_hopeless(2)
    clock.now += 601
    assert not bad_series.is_hopeless(1)
