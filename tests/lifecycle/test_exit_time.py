"""What of the time at the exit is an exporter's."""

from __future__ import annotations

import pytest

from opentelemetry.exporter.prometheus_remote_write.lifecycle.exit_time import ExitTime


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def exit_time(clock):
    return ExitTime(5, clock)


def use(exit_time, clock, seconds):
    with exit_time.counted():
        clock.now += seconds


def test_before_the_exit_nothing_is_counted(exit_time, clock):
    use(exit_time, clock, 3600)
    assert (exit_time.has_begun, exit_time.left) == (False, 5)


def test_at_the_exit_only_what_we_use_is_counted(exit_time, clock):
    exit_time.begin()
    use(exit_time, clock, 1)
    clock.now += 60  # of the application
    use(exit_time, clock, 2)
    assert exit_time.left == 2
    assert 0 < exit_time.for_requests < 2


def test_what_was_under_way_when_the_exit_began_is_not_counted(exit_time, clock):
    with exit_time.counted():
        clock.now += 3600
        exit_time.begin()
    assert exit_time.left == 5


def test_there_is_never_less_than_nothing(exit_time, clock):
    exit_time.begin()
    use(exit_time, clock, 6)
    assert exit_time.left == exit_time.for_requests == 0
