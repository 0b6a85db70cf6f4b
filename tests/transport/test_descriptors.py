"""An application that closes descriptors that are not its own, as a daemon does, and opens files in their place."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from opentelemetry.exporter.prometheus_remote_write.errors import Retryable
from tests.transport.pki import Pki
from tests.transport.scripted_server import answer, silent
from tests.transport.volume import Volume

pytestmark = pytest.mark.skipif(not Path("/dev/fd").exists(), reason="this system does not list descriptors")


@pytest.fixture
def pki():
    return Pki()


@pytest.fixture(params=["http", "https"])
def server(request, start_server, pki):
    return start_server(answer(), tls=pki.server() if request.param == "https" else None)


@pytest.fixture
def transport(server, make_transport, pki, tmp_path):
    volume = Volume(tmp_path / "tls", pki.files("client"))
    files = {"certificate": "ca.crt", "client_certificate": "tls.crt", "client_key": "tls.key"}
    return make_transport(server.url, **{setting: str(volume[file]) for setting, file in files.items()})


def connected_to(port):
    """The descriptors of this process that are connections to a port."""
    for path in Path("/dev/fd").iterdir():
        with suppress(OSError), socket.socket(fileno=os.dup(int(path.name))) as connection:
            if connection.family == socket.AF_INET and connection.getpeername()[1] == port:
                yield int(path.name)


@pytest.fixture
def number(transport, server):
    """The descriptor of the connection that is kept."""
    assert transport.post(b"x", {}, 60).status == 204
    (number,) = connected_to(server.port)
    return number


def test_another_connection_is_opened(transport, server, number):
    os.close(number)
    assert transport.post(b"y", {}, 60).status == 204
    assert [request.body for request in server.requests] == [b"x", b"y"]


@pytest.mark.parametrize("then", ["posts", "closes"])
def test_a_connection_of_the_application_under_its_number_is_left_alone(*, transport, server, number, then):
    theirs, other_end = socket.socketpair()
    os.dup2(theirs.fileno(), number)
    if then == "posts":
        assert transport.post(b"y", {}, 60).status == 204
        assert len(server.requests) == 2
    transport.close()
    os.write(number, b"of the application")
    theirs.close()
    os.close(number)
    assert other_end.recv(100) == b"of the application"
    assert other_end.recv(100) == b""
    other_end.close()


def test_what_it_opens_under_the_numbers_of_a_request_in_flight_is_left_alone(start_server, make_transport):
    theirs, other_end = socket.socketpair()
    theirs.settimeout(0)
    numbers = []

    def reopen(exchange):
        numbers.extend(connected_to(server.port))
        for number in numbers:
            os.dup2(theirs.fileno(), number)
        return silent(exchange)

    server = start_server(reopen)
    transport = make_transport(server.url)
    with pytest.raises(Retryable):
        transport.post(b"x", {}, 1)
    transport.close()
    theirs.close()
    for number in numbers:
        os.write(number, b"of the application")
        os.close(number)
    assert len(numbers) == 2
    assert other_end.recv(100) == b"of the application" * 2
    other_end.close()
