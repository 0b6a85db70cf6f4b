"""Forks wait for work that is under way, a second at most, and a child knows where they did not."""

from __future__ import annotations

import os
import sys
import time
from threading import Event, Thread, Timer

import pytest

from opentelemetry.exporter.prometheus_remote_write.system.fork_pause import ForkPause

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
if sys.version_info >= (3, 12):
    # What is tested is just that: a fork beside threads, which Python warns of.
    pytestmark = [pytestmark, pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")]


@pytest.fixture
def begin():
    """Begin a work in another thread that ends when its event is set."""
    threads = []

    def begin(pause):
        begun, ends = Event(), Event()

        def work():
            with pause.work():
                begun.set()
                ends.wait(60)

        threads.append((thread := Thread(target=work), ends))
        thread.start()
        assert begun.wait(60)
        return ends

    yield begin
    for thread, ends in threads:
        ends.set()
        thread.join()


def found_by_child(pause, *, generations=1):
    """Fork, and return the exit status of the last child: 1 where the work was broken into, 3 where it failed."""
    child = os.fork()
    if child == 0:
        status = 3
        try:
            if generations > 1:
                status = found_by_child(pause, generations=generations - 1)
            else:
                pause.wait()
                with pause.work():
                    status = int(pause.broke_in)
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_forks_wait_once_for_work_that_hangs(begin):
    """A disk may hang for hours, and an application may fork for each request."""
    pause = ForkPause()
    begin(pause)
    assert found_by_child(pause) == 1
    began = time.monotonic()
    assert [found_by_child(pause) for _ in range(10)] == [1] * 10
    assert time.monotonic() - began < 10  # which would be a second for each


def test_a_fork_waits_again_for_the_work_after_one_that_has_hung(begin):
    pause = ForkPause()
    ends = begin(pause)
    assert found_by_child(pause) == 1
    ends.set()
    pause.wait()
    ends = begin(pause)
    timer = Timer(0.1, ends.set)
    timer.start()
    assert found_by_child(pause) == 0
    timer.join()


def test_a_fork_waits_for_work_that_ends(begin):
    pause = ForkPause(seconds=60)
    ends = begin(pause)
    timer = Thread(target=lambda: (Event().wait(0.1), ends.set()))
    timer.start()
    assert found_by_child(pause) == 0
    timer.join()


@pytest.mark.parametrize("generations", [1, 2])
def test_a_child_and_its_own_know_that_the_work_was_not_waited_for(begin, generations):
    pause = ForkPause()
    begin(pause)
    assert found_by_child(pause, generations=generations) == 1
    assert not pause.broke_in


def test_work_goes_on_in_the_parent_after_a_fork():
    pause = ForkPause()
    assert found_by_child(pause) == 0
    with pause.work():
        pass
    assert found_by_child(pause) == 0


def test_something_is_done_before_each_fork():
    forks = []
    pause = ForkPause(before=lambda: forks.append(True))
    assert found_by_child(pause) == 0
    assert found_by_child(pause) == 0
    assert forks == [True, True]
