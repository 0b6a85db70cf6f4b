"""A server on a real socket that behaves as a test wants it to, well or badly."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Request:
    """One request as it arrived: connection counts TCP connections from 1; header names are in lower case."""

    connection: int
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Exchange:
    """A request, and the connection on which to do something about it."""

    request: Request
    connection: socket.socket
    stopping: threading.Event


Behaviour: TypeAlias = Callable[[Exchange], bool]
"""Answers or not, and says whether the connection is kept."""


def answer(status=204, headers=None, body=b"", *, keep=True) -> Behaviour:
    """An answer with its length, after which the connection is kept or closed."""
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    if status != 204:
        lines.append(f"Content-Length: {len(body)}")
    return raw("\r\n".join([*lines, "", ""]).encode("latin-1") + body, keep=keep)


def raw(data: bytes, *, keep=False) -> Behaviour:
    """These bytes and no more, after which the connection is kept or closed."""

    def send(exchange: Exchange) -> bool:
        exchange.connection.sendall(data)
        return keep

    return send


def silent(exchange: Exchange) -> bool:
    """No answer, until the client goes."""
    exchange.connection.recv(1)
    return False


def drip(beginning: bytes, endless: bytes) -> Behaviour:
    """A beginning and then, every now and then, the same few bytes, until the client goes."""

    def send(exchange: Exchange) -> bool:
        exchange.connection.sendall(beginning)
        while not exchange.stopping.wait(0.01):
            exchange.connection.sendall(endless)
        return False

    return send


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One behaviour for each request; the last for all that follow."""
    left = list(behaviours)

    def act(exchange: Exchange) -> bool:
        return (left.pop(0) if len(left) > 1 else left[0])(exchange)

    return act


def tunnel(exchange: Exchange, answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n") -> bool:
    """What a proxy does on CONNECT: answers, then copies bytes both ways until one side ends."""
    host, _, port = exchange.request.target.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=60) as upstream:
        exchange.connection.sendall(answer)
        back = threading.Thread(target=_copy, args=(upstream, exchange.connection))
        back.start()
        _copy(exchange.connection, upstream)
        back.join()
    return False


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class ScriptedServer:
    """Serves connections on loopback, each in a thread, until it is stopped.

    Args:
        behaviour: What it does with each request.
        tls: Its side of TLS, if it speaks that; another one holds for connections that come later.
    """

    def __init__(self, behaviour: Behaviour = answer(), *, tls: ssl.SSLContext | None = None):  # noqa: B008 - frozen
        self.behaviour = behaviour
        self.requests: list[Request] = []
        self.connections = 0
        self.server_names: list[str | None] = []
        self.tls = tls
        if tls is not None:
            tls.sni_callback = lambda _socket, name, _context: self.server_names.append(name)
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept)]

    @property
    def url(self) -> str:
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://127.0.0.1:{self.port}"

    def __enter__(self):
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def has_ended(self, connection: int) -> bool:
        """Waits for the end of a connection."""
        self._threads[connection].join(timeout=60)
        return not self._threads[connection].is_alive()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                if self._stopping.is_set():
                    connection.close()
                    return
                self.connections += 1
                self._open.add(connection)
                thread = threading.Thread(target=self._serve, args=(connection, self.connections))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        if self.tls is not None:
            self._open.discard(connection)
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            self._open.add(connection)
        # What is left unread at the end would reset the connection, and take the answer or the alert with it.
        with connection, suppress(OSError):
            try:
                if isinstance(connection, ssl.SSLSocket):
                    connection.do_handshake()
                while (request := self._read(connection, number)) is not None:
                    self.requests.append(request)
                    if not self.behaviour(Exchange(request, connection, self._stopping)):
                        break
            except OSError:
                pass
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        self._open.discard(connection)

    def _read(self, connection: socket.socket, number: int) -> Request | None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = connection.recv(1)
            if not byte:
                return None
            head += byte
        first, *lines = head.decode("latin-1").rstrip().split("\r\n")
        headers = dict(_header(lines))
        method, target, _ = first.split(" ")
        body = b""
        while missing := int(headers.get("content-length", 0)) - len(body):
            piece = connection.recv(missing)
            if not piece:
                return None
            body += piece
        return Request(number, method, target, headers, body)


def _header(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for line in lines:
        name, _, value = line.partition(": ")
        yield name.lower(), value
