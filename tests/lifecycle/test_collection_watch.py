"""What holds up all exports is said."""

from __future__ import annotations

import linecache
import sys
import threading

import pytest
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider

from opentelemetry.exporter.prometheus_remote_write.lifecycle.collection_watch import (
    CollectionWatch,
    place_in_application,
)
from opentelemetry.exporter.prometheus_remote_write.lifecycle.controller import Controller
from tests.lifecycle.pushing import LONG


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_collection_that_takes_three_intervals_is_told_once(clock, caplog):
    watch = CollectionWatch(60, clock)
    watch.begins()
    for clock.now in (60, 120, 179):
        watch.look()
    assert not caplog.records
    for clock.now in (180, 240, 300):
        watch.look()
    (record,) = caplog.records
    assert "has not finished for 3 intervals" in record.getMessage()
    assert "test_collection_watch.py" in record.getMessage()


def test_one_that_ends_in_time_is_not_told(clock, caplog):
    watch = CollectionWatch(60, clock)
    for clock.now in range(0, 1000, 100):
        watch.begins()
        watch.ends()
        watch.look()
    assert not caplog.records


def test_after_it_has_ended_another_one_is_told_again(clock, caplog):
    watch = CollectionWatch(60, clock)
    for _ in range(2):
        watch.begins()
        clock.now += 200
        watch.look()
        watch.ends()
    assert len(caplog.records) == 2


def test_a_short_interval_is_not_so_short(clock, caplog):
    watch = CollectionWatch(0.01, clock)
    watch.begins()
    clock.now = 1
    watch.look()
    assert not caplog.records


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_a_callback_that_ends_its_thread_is_told_once_and_asked_again(exporter, caplog, error):
    asked = threading.Semaphore(0)
    answers = [error, error]

    def callback(_options):
        asked.release()
        if answers:
            raise answers.pop()
        return [Observation(1)]

    provider = MeterProvider([Controller(exporter, 10)], shutdown_on_exit=False)
    provider.get_meter("x").create_observable_gauge("g", callbacks=[callback])
    for _ in range(3):
        assert asked.acquire(timeout=LONG)
    assert exporter.exported.wait(LONG)
    provider.shutdown()
    (record,) = caplog.records
    assert error.__name__ in record.getMessage()


def test_a_callback_that_hangs_is_named(exporter, caplog):
    hangs, may_end = threading.Event(), threading.Event()

    def reads_a_queue_that_is_empty(_options):
        hangs.set()
        may_end.wait(LONG)
        return []

    controller = Controller(exporter, 10)
    controller._watch = watch = CollectionWatch(0.001)
    provider = MeterProvider([controller], shutdown_on_exit=False)
    provider.get_meter("x").create_observable_gauge("g", callbacks=[reads_a_queue_that_is_empty])
    assert hangs.wait(LONG)
    began = watch._began
    watch._clock = lambda: began + 3600
    watch.look()
    may_end.set()
    provider.shutdown()
    assert "in reads_a_queue_that_is_empty)" in caplog.text
    assert sys.modules[__name__].__file__ in caplog.text


def test_no_source_file_is_read_to_say_where():
    linecache.clearcache()
    assert __file__ in place_in_application(sys._getframe())
    assert not linecache.cache
