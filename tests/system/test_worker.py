"""Work in another thread."""

from __future__ import annotations

import _thread
import threading
from contextvars import ContextVar

import pytest

from opentelemetry.exporter.prometheus_remote_write.system.worker import BackgroundWork, together

LONG = 10  # seconds, which nothing takes unless something is wrong


def test_its_result_is_that_of_another_thread():
    assert BackgroundWork(threading.get_ident).result() != threading.get_ident()


def test_what_it_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        BackgroundWork(lambda: 1 / 0).result()


def test_it_has_a_copy_of_the_context():
    variable = ContextVar("variable", default="other")
    token = variable.set("ours")
    try:
        assert BackgroundWork(variable.get).result() == "ours"
    finally:
        variable.reset(token)


@pytest.fixture
def without_threads():
    """No thread can be started: there is no room for its stack."""
    before = threading.stack_size(1 << 46)
    yield
    threading.stack_size(before)


@pytest.mark.usefixtures("without_threads")
def test_where_no_thread_can_be_started_the_work_is_done_at_once():
    assert BackgroundWork(threading.get_ident).result() == threading.get_ident()


def test_a_thread_that_never_begins_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(_thread, "start_new_thread", lambda *_: 0)
    assert BackgroundWork(threading.get_ident).result() == threading.get_ident()


def test_what_a_signal_handler_raises_while_a_thread_starts_is_passed_on(monkeypatch):
    def interrupted(*_):
        raise RuntimeError("of the application")

    monkeypatch.setattr(_thread, "start_new_thread", interrupted)
    with pytest.raises(RuntimeError, match="of the application"):
        BackgroundWork(threading.get_ident)


def test_work_that_has_not_begun_can_be_taken_back(monkeypatch):
    started = []
    monkeypatch.setattr(_thread, "start_new_thread", lambda run, arguments: started.append((run, arguments)))
    done = []
    helper = BackgroundWork(lambda: done.append(1))
    assert helper.take_back()
    assert not helper.take_back()
    ((run, arguments),) = started
    run(*arguments)  # later than anybody waits
    assert done == []


def test_together_several_threads_do_what_there_is_to_do():
    met = threading.Barrier(3)
    idents = []

    def work():
        met.wait(LONG)
        idents.append(threading.get_ident())

    together(work, 3)
    assert len(set(idents)) == 3


def test_together_who_has_not_begun_when_all_is_done_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(_thread, "start_new_thread", lambda *_: 0)
    done = []
    together(lambda: done.append(1), 4)
    assert done == [1]


@pytest.mark.usefixtures("without_threads")
def test_together_one_thread_does_all_where_no_other_can_be_started():
    done = []
    together(lambda: done.append(threading.get_ident()), 4)
    assert set(done) == {threading.get_ident()}
