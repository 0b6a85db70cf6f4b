"""Requests that another thread ends."""

from __future__ import annotations

import os
import queue
import socket
import threading

import pytest

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.errors import Retryable
from opentelemetry.exporter.prometheus_remote_write.transport.address import resolve
from opentelemetry.exporter.prometheus_remote_write.transport.deadline import Deadline, current, deadline, remaining
from opentelemetry.exporter.prometheus_remote_write.transport.pool import Transport
from tests.transport.scripted_server import answer, drip, in_turn, silent

LONG = 60  # seconds, which no test waits for


@pytest.fixture
def in_thread():
    """Runs something in a thread of its own, and says how it ended."""
    threads = []

    def start(function):
        ended = queue.SimpleQueue()

        def run():
            try:
                ended.put(function())
            except Exception as error:  # noqa: BLE001 - looked at by the test
                ended.put(error)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return lambda: ended.get(timeout=60)

    yield start
    for thread in threads:
        thread.join()


@pytest.fixture
def transport(start_server):
    def make(behaviour, scheme="http"):
        server = start_server(behaviour)
        url = server.url.replace("http:", f"{scheme}:")
        return Transport(Settings(endpoint=url), environ={}, user_agent="tests/1"), server

    return make


def until(condition):
    """Wait for another thread."""
    moment = threading.Event()
    while not condition():
        moment.wait(0.005)


@pytest.mark.parametrize(
    ("behaviour", "scheme"),
    [
        pytest.param(silent, "http", id="a receiver that is silent"),
        pytest.param(drip(b"HTTP/1.1", b" "), "http", id="an answer that never comes to the point"),
        pytest.param(silent, "https", id="a handshake that never ends"),
    ],
)
def test_a_request_under_way_ends(transport, in_thread, behaviour, scheme):
    sender, server = transport(behaviour, scheme)
    ended = in_thread(lambda: sender.post(b"x", {}, LONG))
    until(lambda: server.connections and sender._under_way)
    sender.interrupt()
    error = ended()
    assert isinstance(error, Retryable)
    assert "had not answered when the request was given up" in str(error)


def test_one_over_a_kept_connection_ends_too_and_is_not_sent_again(transport, in_thread):
    sender, server = transport(in_turn(answer(), silent))
    sender.post(b"first", {}, LONG)
    ended = in_thread(lambda: sender.post(b"second", {}, LONG))
    until(lambda: len(server.requests) == 2)
    sender.interrupt()
    assert isinstance(ended(), Retryable)
    assert server.connections == 1


def test_while_it_lasts_every_request_fails_at_once(transport):
    sender, server = transport(answer())
    sender.interrupt()
    with pytest.raises(Retryable):
        sender.post(b"x", {}, LONG)
    assert server.requests == []
    sender.resume()
    assert sender.post(b"x", {}, LONG).status == 204


def test_a_name_server_that_does_not_answer_is_not_waited_for(in_thread):
    asked, answers, running = threading.Event(), threading.Event(), []

    def lookup(*_arguments, **_keywords):
        asked.set()
        answers.wait()
        return []

    def look_up():
        with deadline(LONG) as end:
            running.append(end)
            return resolve("receiver.test", 80, lookup=lookup)

    ended = in_thread(look_up)
    asked.wait()
    running[0].interrupt()
    assert isinstance(ended(), TimeoutError)
    answers.set()


def test_a_connection_that_nobody_answers_is_given_up(in_thread):
    """The system drops whoever knocks at a port whose queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting = []
        for _ in range(10):
            waiting.append(socket.socket())
            waiting[-1].settimeout(0.2)
            try:
                waiting[-1].connect(listener.getsockname())
            except TimeoutError:
                break
        sender = Transport(
            Settings(endpoint=f"http://127.0.0.1:{listener.getsockname()[1]}/"), environ={}, user_agent="tests/1"
        )
        ended = in_thread(lambda: sender.post(b"x", {}, LONG))
        until(lambda: any(end._watched for end in tuple(sender._under_way)))
        sender.interrupt()
        assert isinstance(ended(), Retryable)
        for connection in waiting:
            connection.close()


def test_what_is_named_after_the_interruption_is_woken_at_once():
    woken = []
    end = Deadline(LONG)
    end.interrupt()
    end.wake_by(lambda: woken.append(1))
    assert woken == [1]


def test_nothing_remains_of_an_interrupted_deadline():
    with deadline(LONG) as end:
        assert current() is end
        end.interrupt()
        with pytest.raises(TimeoutError):
            remaining()
    assert current() is None


def test_watching_leaves_no_descriptor_open():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with deadline(LONG) as end:
            end.watch(ours)
            (watched,) = end._watched
            number = watched._descriptor.number
            os.fstat(number)
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(number)
        ours.sendall(b"still open")
        assert theirs.recv(100) == b"still open"


def test_a_socket_that_is_closed_already_is_not_watched():
    with socket.socket() as connection:
        pass
    end = Deadline(LONG)
    end.watch(connection)
    end.interrupt()
    assert end._watched == []
