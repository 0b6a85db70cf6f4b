"""A strict receiver behind a server that can do everything wrong: what fails on the way, and what answers badly."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver

Fault: TypeAlias = Callable[["Visit"], bool]
"""Does something about a request that begins to arrive, and says whether the connection is kept."""


class Request(NamedTuple):
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Visit:
    """A client that has begun to send a request."""

    connection: socket.socket
    receiver: Receiver
    stopping: threading.Event

    @cached_property
    def request(self) -> Request:
        """The whole of it, read when it is first asked for."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._some(1)
        first, *lines = head.decode("latin-1").rstrip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = dict(line.split(": ", 1) for line in lines)
        body = b""
        while missing := int(headers.get("Content-Length", 0)) - len(body):
            body += self._some(missing)
        return Request(method, target, headers, body)

    def _some(self, most: int) -> bytes:
        data = self.connection.recv(most)
        if not data:
            raise ConnectionError("the client went away")
        return data


def well(visit: Visit) -> bool:
    """What the strict receiver answers."""
    visit.connection.sendall(_forwarded(visit))
    return True


def stored_then(fault: Fault) -> Fault:
    """The receiver takes the request, but its answer does not come back."""

    def act(visit: Visit) -> bool:
        _forwarded(visit)
        return fault(visit)

    return act


def saying(data: bytes, *, keep: bool = False) -> Fault:
    """These bytes for an answer."""

    def act(visit: Visit) -> bool:
        _ = visit.request
        visit.connection.sendall(data)
        return keep

    return act


def answering(status: object, body: bytes = b"", **headers: str) -> Fault:
    """A whole answer, after which the connection is kept."""
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name.replace('_', '-')}: {text}" for name, text in headers.items())]
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode("latin-1")
    return saying(head + body, keep=True)


def dripping(beginning: bytes, endless: bytes) -> Fault:
    """A beginning, and then the same few bytes now and then, until the client goes."""

    def act(visit: Visit) -> bool:
        _ = visit.request
        visit.connection.sendall(beginning)
        while not visit.stopping.wait(0.02):
            visit.connection.sendall(endless)
        return False

    return act


def silent(visit: Visit) -> bool:
    """No answer, until the client goes."""
    _ = visit.request
    visit.connection.recv(1)
    return False


def closing(visit: Visit) -> bool:
    """Ends the connection in an orderly way instead of answering."""
    _ = visit.request
    return False


def resetting(visit: Visit) -> bool:
    """Breaks the connection off while the request still comes."""
    return _reset(visit)


def resetting_after(data: bytes) -> Fault:
    """Breaks the connection off in the middle of the answer."""

    def act(visit: Visit) -> bool:
        _ = visit.request
        visit.connection.sendall(data)
        return _reset(visit)

    return act


def in_turn(*faults: Fault, then: Fault = well) -> Fault:
    """One fault for each request, and then another for ever."""
    left = list(faults)

    def act(visit: Visit) -> bool:
        fault = left.pop(0) if left else then
        return fault(visit)

    return act


def _reset(visit: Visit) -> bool:
    visit.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    visit.connection.close()
    return False


def _forwarded(visit: Visit) -> bytes:
    request = visit.request
    upstream = http.client.HTTPConnection("127.0.0.1", visit.receiver.port, timeout=10)
    try:
        upstream.request(request.method, request.target, request.body, request.headers)
        answer = upstream.getresponse()
        body = answer.read()
    finally:
        upstream.close()
    headers = [f"{name}: {text}" for name, text in answer.getheaders() if name != "Content-Length"]
    lines = [f"HTTP/1.1 {answer.status} {answer.reason}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


class FaultyReceiver:
    """Serves on loopback inside a with block.

    Attributes:
        fault: What happens to each request; ``well`` at first.
        receiver: The strict receiver behind it.
    """

    def __init__(self) -> None:
        self.fault: Fault = well
        self.receiver = Receiver()
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, args=(self._listener,))]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/api/v1/write"

    def go_away(self) -> None:
        """Listen no more and end every connection, as a server that is being restarted."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def come_back(self) -> None:
        """Listen again at the same address."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._threads = [threading.Thread(target=self._accept, args=(self._listener,))]
        self._threads[0].start()

    def __enter__(self):
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self.go_away()
        self.receiver.close()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self._open.add(connection)
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while connection.recv(1, socket.MSG_PEEK):
                if not self.fault(Visit(connection, self.receiver, self._stopping)):
                    break
        self._open.discard(connection)
