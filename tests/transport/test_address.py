import socket
import threading

import pytest

from opentelemetry.exporter.prometheus_remote_write.transport import address
from opentelemetry.exporter.prometheus_remote_write.transport.deadline import deadline


def test_an_address_resolves_to_itself():
    ((family, kind, _, _, found),) = address.resolve("127.0.0.1", 9009)
    assert (family, kind, found) == (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 9009))


def test_a_resolver_that_does_not_answer_is_left_behind():
    answered = threading.Event()
    with deadline(0.05), pytest.raises(TimeoutError):
        address.resolve("host", 80, lookup=lambda *_, **__: answered.wait(60))
    answered.set()


def test_a_resolver_that_never_answers_costs_one_thread_for_each_name():
    answered, asked = threading.Event(), []

    def lookup(host, *_, **__):
        asked.append(host)
        answered.wait(60)
        return []

    for port, host in enumerate(("a", "b", "A", "a", "B") * 5):
        with deadline(0.02), pytest.raises(TimeoutError):
            address.resolve(host, port, lookup=lookup)
    assert sorted(asked) == ["a", "b"]
    answered.set()


def test_each_port_is_that_which_was_asked_for():
    found = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 0, 7, 9))
    for port in (1, 2):
        assert address.resolve("host", port, lookup=lambda *_, **__: [found])[0][4] == ("::1", port, 7, 9)


def test_what_the_resolver_raises_is_raised():
    def fail(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    with pytest.raises(socket.gaierror, match="unknown"):
        address.resolve("host", 80, lookup=fail)


def test_the_next_address_is_tried_when_one_refuses(start_server):
    server = start_server()
    closed = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1))
    open_ = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", server.port))
    with address.connected_socket("host", server.port, (), lookup=lambda *_, **__: [closed, open_]) as connection:
        assert connection.getpeername() == ("127.0.0.1", server.port)


def test_the_next_address_is_tried_when_the_machine_has_no_such_network(start_server):
    server = start_server()
    strange = (12345, socket.SOCK_STREAM, 0, "", ("::1", server.port))
    open_ = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", server.port))
    with address.connected_socket("host", server.port, (), lookup=lambda *_, **__: [strange, open_]) as connection:
        assert connection.getpeername() == ("127.0.0.1", server.port)


def test_an_address_that_does_not_answer_leaves_time_for_the_next(start_server):
    server = start_server()
    with socket.socket() as full:  # nobody accepts, and the only place in its queue is taken: a third party is ignored
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.create_connection(full.getsockname()):
            hole = (socket.AF_INET, socket.SOCK_STREAM, 0, "", full.getsockname())
            open_ = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", server.port))
            lookup = lambda *_, **__: [hole, open_]  # noqa: E731 - a resolver of one line
            with deadline(0.6), address.connected_socket("host", 1, (), lookup=lookup) as connection:
                assert connection.getpeername() == ("127.0.0.1", server.port)


def test_the_last_failure_is_the_one_that_counts():
    closed = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1))
    with pytest.raises(ConnectionRefusedError):
        address.connected_socket("host", 1, (), lookup=lambda *_, **__: [closed, closed])


def test_a_name_without_addresses_cannot_be_resolved():
    with pytest.raises(socket.gaierror):
        address.connected_socket("host", 1, (), lookup=lambda *_, **__: [])
