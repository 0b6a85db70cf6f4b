import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.delivery.bad_series import Quarantine, Search
from tests.fake_receiver import Clock

A, B = ((("__name__", name),) for name in "ab")


def searched(series, bad, most=10_000):
    """A search that has come to its end, and the groups that were tried."""
    search, tried = Search(series, most), []
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


def test_what_waits_for_its_turn_is_known():
    search = Search(8, 100)
    assert list(search.next()) == [0, 1, 2, 3]
    assert search.untried() == [4, 5, 6, 7]


def test_bad_series_are_held_for_a_while():
    clock = Clock()
    quarantine = Quarantine(clock)
    assert quarantine.held(1) == frozenset()
    quarantine.add(1, [A])
    clock.now += 300
    quarantine.add(1, [B])
    assert quarantine.held(1) == {A, B}
    assert quarantine.held(2) == frozenset()
    clock.now += 301
    assert quarantine.held(1) == {B}
    quarantine.release(1, [A, B])
    assert quarantine.held(1) == frozenset()


def test_what_is_over_is_forgotten_of_batches_that_are_gone_too():
    clock = Clock()
    quarantine = Quarantine(clock)
    for batch in range(100):
        quarantine.add(batch, [A])
        quarantine.give_up(batch)
        clock.now += 601
    quarantine.add(0, [B])
    assert len(quarantine._until) == 1
    assert not quarantine._hopeless


def test_a_search_that_was_in_vain_is_not_repeated_for_a_while():
    clock = Clock()
    quarantine = Quarantine(clock)
    assert not quarantine.is_hopeless(1)
    quarantine.give_up(1)
    assert quarantine.is_hopeless(1)
    assert not quarantine.is_hopeless(2)
    clock.now += 601
    assert not quarantine.is_hopeless(1)
