from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.model.list_diff import Block, ListDiff, list_diff


def test_of_a_list_that_loses_its_first_and_gains_others_a_stretch_stays():
    _, _, blocks, gone = list_diff("abcdef", "cdefgh")
    assert blocks == [Block(slice(0, 4), slice(2, 6)), Block(slice(4, 6), None)]
    assert gone == [0, 1]


def test_what_is_put_between_others_divides_them():
    _, _, blocks, gone = list_diff("abc", "axbc")
    assert blocks == [
        Block(slice(0, 1), slice(0, 1)),
        Block(slice(1, 2), None),
        Block(slice(2, 4), slice(1, 3)),
    ]
    assert gone == []


def test_what_is_there_twice_was_there_once():
    _, _, blocks, gone = list_diff("ab", "abb")
    assert blocks == [Block(slice(0, 2), slice(0, 2)), Block(slice(2, 3), None)]
    assert gone == []


def test_what_was_there_twice_is_found_where_it_was_last():
    _, _, blocks, gone = list_diff("aba", "ab")
    assert blocks == [Block(slice(0, 1), slice(2, 3)), Block(slice(1, 2), slice(1, 2))]
    assert gone == [0]


def test_an_answer_that_is_known_is_taken_only_for_the_very_lists_it_is_about():
    before, now = ["a", "b"], ["b"]
    known = ListDiff(before, now, [], [])
    assert list_diff(before, now, known) is known
    assert list_diff([*before], now, known) == list_diff(before, now)
    assert list_diff(before, [*now], known) == list_diff(before, now)


def test_nothing_before_and_nothing_now():
    assert list_diff("", "ab") == ("", "ab", [Block(slice(0, 2), None)], [])
    assert list_diff("ab", "") == ("ab", "", [], [0, 1])
    assert list_diff("", "") == ("", "", [], [])


@given(st.lists(st.integers(0, 20), unique=True), st.lists(st.integers(0, 20)))
def test_the_stretches_and_what_is_gone_are_all_that_there_was_and_is(before, now):
    _, _, blocks, gone = list_diff(before, now)

    assert [item for block in blocks for item in now[block.here]] == now
    stayed = [block for block in blocks if block.before]
    assert all(now[block.here] == before[block.before] for block in stayed)
    assert sorted(gone + [before.index(item) for block in stayed for item in now[block.here]]) == [*range(len(before))]
    new = [item for block in blocks if not block.before for item in now[block.here]]
    assert len(new) == len(now) - len(set(now) & set(before))


def test_no_block_is_so_long_that_whoever_handles_it_holds_up_others():
    _, _, blocks, _ = list_diff([-1, *range(2500)], [*range(2500), *range(3000, 4500)])
    assert blocks == [
        Block(slice(0, 1000), slice(1, 1001)),
        Block(slice(1000, 2000), slice(1001, 2001)),
        Block(slice(2000, 2500), slice(2001, 2501)),
        Block(slice(2500, 3500), None),
        Block(slice(3500, 4000), None),
    ]
