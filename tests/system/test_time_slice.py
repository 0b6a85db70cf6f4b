from __future__ import annotations

import pytest

from opentelemetry.exporter.prometheus_remote_write.system.time_slice import TimeSlice


class Clock:
    """A clock that work and sleep move on; it notes each sleep."""

    def __init__(self):
        self.now = 0.0
        self.sleeps = []

    def __call__(self):
        return self.now

    def work(self, seconds):
        self.now += seconds

    def sleep(self, seconds):
        self.sleeps.append(self.now)
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


def test_the_lock_is_given_away_after_each_slice(clock):
    time_slice = TimeSlice(clock, clock.sleep)
    time_slice.begin(gives_way=True)
    for _ in range(1000):
        clock.work(0.00001)
        time_slice.check()
    pauses = [after - before for before, after in zip(clock.sleeps, clock.sleeps[1:], strict=False)]
    assert clock.sleeps
    assert max(pauses) < 0.0002


def test_where_somebody_waits_it_is_not_given_away(clock):
    time_slice = TimeSlice(clock, clock.sleep)
    time_slice.begin(gives_way=False)
    for _ in range(100):
        clock.work(1)
        time_slice.check()
    assert clock.sleeps == []


def test_nothing_is_given_away_before_an_export_has_begun(clock):
    TimeSlice(clock, clock.sleep).check()
    assert clock.sleeps == []


def test_between_checks_before_each_item(clock):
    time_slice = TimeSlice(clock, clock.sleep)
    time_slice.begin(gives_way=True)
    for _ in time_slice.between(range(5)):
        clock.work(1)
    assert len(clock.sleeps) == 4


def test_a_short_list_is_one_block_that_is_not_copied(clock):
    items = [1, 2, 3]
    [[block]] = TimeSlice(clock, clock.sleep).blocks(items)
    assert block is items


def test_long_lists_come_in_blocks_side_by_side_with_a_check_before_each(clock):
    numbers, letters = list(range(1000)), ["x"] * 1000
    time_slice = TimeSlice(clock, clock.sleep)
    time_slice.begin(gives_way=True)
    blocks = []
    for some_numbers, some_letters in time_slice.blocks(numbers, letters):
        clock.work(1)
        assert len(some_numbers) == len(some_letters)
        blocks.append(some_numbers)
    assert [number for block in blocks for number in block] == numbers
    assert len(clock.sleeps) == len(blocks) - 1 > 1


def test_what_is_discarded_is_freed_at_the_end_bit_by_bit(clock):
    time_slice = TimeSlice(clock, clock.sleep)
    time_slice.begin(gives_way=True)
    numbers, by_number = list(range(1000)), dict.fromkeys(range(1000))
    time_slice.discard(numbers, by_number)
    assert len(numbers) == len(by_number) == 1000
    clock.work(1)
    time_slice.end()
    assert numbers == []
    assert by_number == {}
    assert clock.sleeps


def test_where_somebody_waits_nothing_is_kept_that_was_discarded(clock):
    time_slice = TimeSlice(clock, clock.sleep)
    time_slice.begin(gives_way=False)
    numbers = [1, 2, 3]
    time_slice.discard(numbers)
    time_slice.end()
    assert numbers == [1, 2, 3]
