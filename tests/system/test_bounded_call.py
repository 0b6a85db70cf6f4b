import os
import sys
import threading
from warnings import catch_warnings, simplefilter

import pytest

from opentelemetry.exporter.prometheus_remote_write.system import bounded_call as module
from opentelemetry.exporter.prometheus_remote_write.system.bounded_call import ExitThread, Waiter, bounded_call


class Hanging:
    """Something that hangs until it is let go, and counts how often it is called."""

    def __init__(self):
        self.calls = 0
        self.called = threading.Event()
        self.go = threading.Event()

    def __call__(self):
        self.calls += 1
        self.called.set()
        self.go.wait(60)
        return self.calls


@pytest.fixture
def hanging():
    hanging = Hanging()
    yield hanging
    hanging.go.set()


def test_the_result_is_returned():
    assert bounded_call("key", lambda: 7, 10) == 7


def test_it_is_made_in_another_thread():
    assert bounded_call("key", threading.get_ident, None) != threading.get_ident()


@pytest.mark.parametrize("error", [ValueError("wrong"), SystemExit(1), TimeoutError("of its own")])
def test_what_is_raised_is_raised_here(error):
    def fail():
        raise error

    with pytest.raises(type(error)) as caught:
        bounded_call("key", fail, 10)
    assert caught.value is error


def test_what_hangs_is_left_behind(hanging):
    with pytest.raises(TimeoutError):
        bounded_call(hanging, hanging, 0.01)


def test_one_call_of_a_kind_is_outstanding(hanging):
    for _ in range(5):
        with pytest.raises(TimeoutError):
            bounded_call(hanging, hanging, 0.01)
    assert hanging.calls == 1


def test_who_asks_meanwhile_has_the_result_of_the_call_under_way(hanging):
    with pytest.raises(TimeoutError):
        bounded_call(hanging, hanging, 0.01)
    threading.Timer(0.05, hanging.go.set).start()
    assert bounded_call(hanging, hanging, 10) == 1
    assert bounded_call(hanging, hanging, 10) == 2


def test_other_questions_are_not_held_up(hanging):
    with pytest.raises(TimeoutError):
        bounded_call(hanging, hanging, 0.01)
    assert bounded_call("another", lambda: 7, 10) == 7


def test_nobody_is_remembered_who_has_given_up(hanging):
    for _ in range(5):
        with pytest.raises(TimeoutError):
            bounded_call(hanging, hanging, 0.01)
    (call,) = [call for call in module._outstanding.values() if call._function is hanging]
    assert call._waiters == []


def test_a_wait_can_be_ended_from_elsewhere(hanging):
    waiter = Waiter()
    waiter.end()
    with pytest.raises(TimeoutError):
        bounded_call(hanging, hanging, 60, waiter)


def in_child(function):
    """Whether a function returns a true value in a forked child."""
    with catch_warnings():
        simplefilter("ignore", DeprecationWarning)  # of the threads, from Python 3.12 on
        child = os.fork()
    if not child:
        os._exit(0 if function() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_does_not_wait_for_a_call_of_its_parent(hanging):
    with pytest.raises(TimeoutError):
        bounded_call(hanging, hanging, 0.01)
    assert in_child(lambda: bounded_call(hanging, lambda: 7, 10) == 7)


class TestExitThread:
    @pytest.fixture
    def exit_thread(self):
        exit_thread = ExitThread()
        yield exit_thread
        exit_thread.stop(self)

    def test_things_are_done_one_after_the_other_in_one_thread(self, exit_thread):
        done, threads = threading.Event(), []
        exit_thread.start(self)
        exit_thread.start(self)
        for _ in range(3):
            exit_thread.do(lambda: threads.append(threading.get_ident()))
        exit_thread.do(done.set)
        assert done.wait(60)
        assert len(threads) == 3
        assert len({*threads, threading.get_ident()}) == 2

    def test_what_hangs_there_holds_nobody_up(self, exit_thread, hanging):
        exit_thread.start(self)
        exit_thread.do(hanging)

    def test_with_another_thread_what_hangs_does_not_hold_up_the_next(self, exit_thread, hanging):
        done = threading.Event()
        exit_thread.start(self)
        exit_thread.start(self, threads=2)
        exit_thread.do(hanging)
        exit_thread.do(done.set)
        assert done.wait(60)

    def test_without_the_thread_a_thing_is_done_at_once(self, exit_thread):
        done = []
        exit_thread.do(lambda: done.append(threading.get_ident()))
        assert done == [threading.get_ident()]

    def test_the_thread_ends_with_the_last_who_needs_it(self, exit_thread):
        class User:
            pass

        users, threads, asked = [User(), User()], [], threading.Event()
        for user in users:
            exit_thread.start(user)
        exit_thread.stop(users[0])
        exit_thread.do(lambda: threads.append(threading.get_ident()))
        exit_thread.do(asked.set)
        assert asked.wait(60)
        exit_thread.stop(users[1])
        moment = threading.Event()
        while threads[0] in sys._current_frames():
            moment.wait(0.005)

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
    def test_a_forked_child_needs_a_thread_of_its_own(self, exit_thread):
        exit_thread.start(self)

        def child():
            at_once, later = [], threading.Event()
            exit_thread.do(lambda: at_once.append(1))
            exit_thread.start(self)
            exit_thread.do(later.set)
            return at_once and later.wait(60)

        assert in_child(child)
