"""Exports take turns."""

from __future__ import annotations

import threading

import pytest

from opentelemetry.exporter.prometheus_remote_write.lifecycle.turns import Turns

LONG = 10  # seconds, which nothing takes unless something is wrong


@pytest.fixture
def begun():
    return []


@pytest.fixture
def turns(begun):
    return Turns(lambda: begun.append("begun"))


class Thread:
    """Does some work in its turn, when the test lets it."""

    def __init__(self, turns, name="", done=None):
        self.name, self.done = name, done
        self.begins, self.may_end = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=turns.take, args=(self.work,), daemon=True)
        self.thread.start()

    def work(self):
        self.begins.set()
        assert self.may_end.wait(LONG)
        if self.done is not None:
            self.done.append(self.name)


def test_the_result_comes_back_and_the_beginning_is_told(turns, begun):
    assert turns.take(lambda: "done") == "done"
    assert begun == ["begun"]
    assert turns.under_way is None


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_is_raised_comes_back_and_the_next_has_its_turn(turns, error):
    def fail():
        raise error

    with pytest.raises(error):
        turns.take(fail)
    assert turns.take(lambda: "done") == "done"


def test_the_main_threads_work_is_done_in_another_one(turns):
    assert turns.take(threading.get_ident) != threading.get_ident()


def test_who_is_under_way_can_be_waited_for(turns):
    export = Thread(turns)
    assert export.begins.wait(LONG)
    turn = turns.under_way
    assert not turn.wait(0)
    acts = []
    turns.during(turn, lambda: acts.append("during"))
    export.may_end.set()
    assert turn.wait(LONG)
    turns.during(turn, lambda: acts.append("after"))
    assert acts == ["during"]


def test_only_one_is_under_way(turns):
    first = Thread(turns)
    assert first.begins.wait(LONG)
    second = Thread(turns)
    assert not second.begins.wait(0.05)
    first.may_end.set()
    assert second.begins.wait(LONG)
    second.may_end.set()
    second.thread.join(LONG)


def test_the_order_is_that_of_coming(turns):
    done = []
    first = Thread(turns, "first", done)
    assert first.begins.wait(LONG)
    others = []
    for name in ("second", "third", "fourth"):
        others.append(Thread(turns, name, done))
        while len(turns._waiting) < len(others):
            pass
        others[-1].may_end.set()
    first.may_end.set()
    for thread in (first, *others):
        thread.thread.join(LONG)
    assert done == ["first", "second", "third", "fourth"]
