"""One connection: pushes are read and answered, GET is answered with pages, everything else is refused."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from .answers import ScriptedAnswer
from .origin import foreign
from .pages import PageAnswer
from .received import ReceivedRequest

if TYPE_CHECKING:
    from .server import Server  # which imports this module

WRITE_PATHS = ("/api/v1/write", "/api/v1/push", "/api/prom/push", "/api/v1/receive")
"""The write paths of Prometheus and VictoriaMetrics, Mimir, Cortex, and Thanos; each may have a prefix."""

_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_NO_CONTENT = 204
_CHUNK = 65_536
_DRAINED = 1024 * _CHUNK
_LONGEST_DRAIN = 5.0
_LONGEST_PATH = 200


class Handler(BaseHTTPRequestHandler):
    """Handles the requests of one connection, one after the other."""

    server: Server
    protocol_version = "HTTP/1.1"  # connections are kept
    server_version = "otel-prw"
    sys_version = ""
    wbufsize = -1  # head and body of an answer leave together
    disable_nagle_algorithm = True
    error_content_type = "text/plain"
    error_message_format = "%(message)s\n"

    def handle_one_request(self) -> None:
        """Handle one request, and signal its end."""
        super().handle_one_request()
        self.server.request_ended(self.connection)

    def do_POST(self) -> None:
        """Read one bounded body and answer it."""
        began = time.monotonic()
        if fault := self._fault():
            self._refuse(*fault)
            return
        length = int(self.headers["Content-Length"])
        if not self.server.take(length):
            self._refuse(503, "too much is being received at the same time", {"Retry-After": "1"})
            return
        try:
            body = self.rfile.read(length)
            if len(body) != length:
                self.close_connection = True  # the client went away in the middle
            elif self._takes_pushes():
                self._send(self.server.answer(self._request(body, began)))
            else:
                self._send_unknown_path(self._request(body, began))
        finally:
            self.server.give_back(length)

    def do_GET(self) -> None:
        """Answer with a page; write paths have none."""
        if self._takes_pushes():
            self._refuse_method()
        elif len(self.headers.get_all("Host") or []) > 1:
            self._send_page(PageAnswer(b"the request has several headers Host\n", 400))
        elif reason := foreign(self.headers, self.server.host, reading=True):
            self._send_page(PageAnswer(f"{reason}\n".encode(), 403))
        else:
            self._send_page(self.server.pages.get(self.path) or PageAnswer(b"there is nothing here\n", 404))

    do_HEAD = do_GET  # noqa: N815 - the base class's name

    def _refuse_method(self) -> None:
        """Refuse a method that is not a push; this does not count as a rejected push."""
        allowed = "POST" if self._takes_pushes() else "GET, HEAD"
        page = "; what arrives is shown at /" if self.command == "GET" and self.server.pages.get("/") else ""
        said = f"method {self.command} is not {allowed}{page}\n"
        self._answer_unread(ScriptedAnswer(405, {"Allow": allowed}, said.encode()))

    do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _refuse_method  # noqa: N815 - the base class's names

    def handle_expect_100(self) -> bool:
        """Ask for a body only where it will be read."""
        if self._fault() is None:
            super().handle_expect_100()
            self.wfile.flush()
        return True

    def _fault(self) -> tuple[int, str] | None:
        """Return the status and the reason for refusing a push without reading it."""
        if reason := foreign(self.headers, self.server.host, reading=False):
            return 403, reason
        if len(self.headers.get_all("Host") or []) > 1:
            return 400, "the request has several headers Host"
        return self._length_fault(self.headers.get_all("Content-Length") or [])

    def _length_fault(self, lengths: Sequence[str]) -> tuple[int, str] | None:
        """Return the fault: two lengths, or a length and chunks, would smuggle a request past a proxy."""
        if len(lengths) > 1 or any("," in each for each in lengths):
            return 400, "the request has several lengths in Content-Length"
        if "Transfer-Encoding" in self.headers or not lengths or not _LENGTH.fullmatch(lengths[0]):
            return 411, "the request has no Content-Length"
        if int(lengths[0]) > self.server.limit:
            return 413, f"the body has {int(lengths[0])} bytes; the limit is {self.server.limit}"
        return None

    def _send_unknown_path(self, request: ReceivedRequest) -> None:
        reason = f"{self.path[:_LONGEST_PATH]!r} takes no pushes; these do, with any prefix: {', '.join(WRITE_PATHS)}"
        self.server.refused(request, 404, reason)
        self._send(ScriptedAnswer(404, body=f"{reason}\n".encode()))

    def _takes_pushes(self) -> bool:
        path, _, _ = self.path.partition("?")
        return path.endswith(WRITE_PATHS)

    def _refuse(self, status: int, reason: str, headers: dict[str, str] | None = None) -> None:
        self.server.refused(self._request(b""), status, reason)
        self._answer_unread(ScriptedAnswer(status, headers or {}, f"{reason}\n".encode()))

    def _answer_unread(self, answer: ScriptedAnswer) -> None:
        """Answer without having read the body, which ends the connection.

        The rest of the request is read for a while after the answer, because a client that is still sending would see
        a reset instead of the answer.
        """
        self.close_connection = True
        self._send(ScriptedAnswer(answer.status, {**answer.headers, "Connection": "close"}, answer.body))
        with suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + _LONGEST_DRAIN
            left = _DRAINED
            while left > 0 and (rest := deadline - time.monotonic()) > 0 and not self.server.closing.is_set():
                self.connection.settimeout(rest)
                if not (chunk := self.rfile.read1(_CHUNK)):
                    break
                left -= len(chunk)

    def _request(self, body: bytes, began: float = 0.0) -> ReceivedRequest:
        return ReceivedRequest(self.path, self.headers, body, self.client_address[1], began=began)

    def _send(self, answer: ScriptedAnswer) -> None:
        if answer.delay:
            self.server.closing.wait(answer.delay)
        if answer.drop or self.server.closing.is_set():
            self.close_connection = True
        if not answer.drop:
            self._send_whole(answer.status, dict(answer.headers), answer.body)

    def _send_page(self, answer: PageAnswer) -> None:
        headers = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff", **answer.headers}
        if isinstance(answer.body, bytes):
            self._send_whole(answer.status, headers, answer.body)
            return
        self.close_connection = True
        self._send_head(answer.status, {**headers, "Connection": "close"})
        if self.command == "HEAD":
            return
        for piece in answer.body:
            if self.server.closing.is_set():
                return
            self.wfile.write(piece)
            self.wfile.flush()

    def _send_whole(self, status: int, headers: dict[str, str], body: bytes) -> None:
        if body or status != _NO_CONTENT:
            headers["Content-Length"] = str(len(body))
        self._send_head(status, headers)
        if self.command != "HEAD":
            self.wfile.write(body)

    def _send_head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Log nothing: requests are in the receiver's lists."""
