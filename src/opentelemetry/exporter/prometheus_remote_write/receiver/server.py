"""The HTTP side of the receiver: bounded requests, bounded waiting, plain answers."""

from __future__ import annotations

import logging
import re
import socket
import socketserver
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from .answers import ScriptedAnswer
from .received import Request

if TYPE_CHECKING:
    from collections.abc import Callable

_logger = logging.getLogger(__name__)

_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_NO_CONTENT = 204
_CHUNK = 65_536
_DISCARDED = 1024 * _CHUNK


class Server(ThreadingHTTPServer):
    """An HTTP server with a thread for each connection, which hands on POST requests and refuses everything else.

    Args:
        host: The address to listen on.
        port: The port; 0 takes a free one.
        answer: Called on the connection's thread with each POST request.
        refused: Called with each request that is refused for its HTTP alone, the status and the reason.
        timeout: Seconds that a client may be silent within a request or between two.
        limit: The largest body in bytes.

    Raises:
        OSError: The address cannot be listened on.
    """

    daemon_threads = False  # server_close() waits for the connections' threads
    request_queue_size = 128

    def __init__(  # noqa: PLR0913 - all but the address are by keyword
        self,
        host: str,
        port: int,
        *,
        answer: Callable[[Request], ScriptedAnswer],
        refused: Callable[[Request, int, str], None],
        timeout: float,
        limit: int,
    ) -> None:
        self.answer = answer
        self.refused = refused
        self.limit = limit
        self.connections = 0
        self.closing = threading.Event()
        self._client_timeout = timeout
        self._open: set[socket.socket] = set()
        self._opening = threading.Lock()
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Bind, without the look-up of the host's name that the base class makes."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection."""
        connection, address = super().get_request()
        connection.settimeout(self._client_timeout)
        with self._opening:
            self.connections += 1
            self._open.add(connection)
        return connection, address

    def close_request(self, request: Any) -> None:
        """Close a connection."""
        with self._opening:
            self._open.discard(request)
        super().close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Overlook a client that goes away; anything else is a defect of the receiver."""
        del request, client_address
        if not isinstance(error := sys.exc_info()[1], OSError):
            _logger.error("the receiver failed", exc_info=error)

    def stop(self) -> None:
        """Stop accepting, let requests that have come in be answered, and wait for the connections' threads to end."""
        self.closing.set()
        self.shutdown()
        with self._opening:
            for connection in self._open:
                # Whoever waits for a client's next bytes now finds the end; an answer can still be written.
                with suppress(OSError):  # the client went away first
                    connection.shutdown(socket.SHUT_RD)
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"  # connections are kept
    server_version = "otel-prw"
    sys_version = ""
    wbufsize = -1  # head and body of an answer leave together
    disable_nagle_algorithm = True
    error_content_type = "text/plain"
    error_message_format = "%(message)s\n"

    def do_POST(self) -> None:
        """Read one bounded body and answer it."""
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not _LENGTH.fullmatch(length):
            self._refuse(411, "the request has no Content-Length")
        elif int(length) > self.server.limit:
            self._discard(int(length))
            self._refuse(413, f"the body has {length} bytes; the limit is {self.server.limit}")
        else:
            body = self.rfile.read(int(length))
            if len(body) == int(length):
                self._send(self.server.answer(self._request(body)))
            else:
                self.close_connection = True  # the client went away in the middle

    def _refuse_method(self) -> None:
        self._refuse(405, f"method {self.command} is not POST", {"Allow": "POST"})

    do_GET = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _refuse_method  # noqa: N815 - the base class's names

    def _refuse(self, status: int, reason: str, headers: dict[str, str] | None = None) -> None:
        """ScriptedAnswer without having read the body, which ends the connection."""
        self.server.refused(self._request(b""), status, reason)
        self.close_connection = True
        self._send(ScriptedAnswer(status, {"Connection": "close", **(headers or {})}, f"{reason}\n".encode()))

    def _discard(self, length: int) -> None:
        """Read on for a while, because a client that is still sending would see a reset instead of the answer."""
        remaining = min(length, _DISCARDED)
        while remaining > 0 and (chunk := self.rfile.read(min(_CHUNK, remaining))):
            remaining -= len(chunk)

    def _request(self, body: bytes) -> Request:
        return Request(self.path, self.headers, body, self.client_address[1])

    def _send(self, answer: ScriptedAnswer) -> None:
        if answer.delay:
            self.server.closing.wait(answer.delay)
        if answer.drop or self.server.closing.is_set():
            self.close_connection = True
        if answer.drop:
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.body or answer.status != _NO_CONTENT:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing: what comes in is in the receiver's lists."""
