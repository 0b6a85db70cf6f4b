"""The HTTP side of the receiver: bounded requests, bounded waiting, plain answers."""

from __future__ import annotations

import errno
import logging
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import ThreadingHTTPServer
from typing import Any

from .answers import ScriptedAnswer
from .handler import Handler
from .limits import Limits
from .pages import Pages
from .received import ReceivedRequest

_logger = logging.getLogger(__name__)

_GRACE = 1.0  # seconds that answers under way have to be written when the server stops
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Server(ThreadingHTTPServer):
    """An HTTP server with a thread for each connection, which hands on pushes and serves pages.

    Args:
        host: The address to listen on.
        port: The port; 0 takes a free one.
        answer: Called on the connection's thread with each push.
        refused: Called with each push that is refused for its HTTP alone, the status and the reason.
        pages: What GET is answered with.
        timeout: Seconds that a client may be silent within a request or between two.
        limit: The largest body in bytes.
        limits: How many connections and bytes there may be at the same time.

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
        answer: Callable[[ReceivedRequest], ScriptedAnswer],
        refused: Callable[[ReceivedRequest, int, str], None],
        pages: Pages,
        timeout: float,
        limit: int,
        limits: Limits,
    ) -> None:
        self.host = host
        self.answer = answer
        self.refused = refused
        self.pages = pages
        self.limit = limit
        self._limits = limits
        self.connections = 0
        self.closing = threading.Event()
        self._client_timeout = timeout
        self._open: dict[socket.socket, float] = {}  # with when its last request ended, or it was accepted
        self._bytes_under_way = 0
        self._counting = threading.Condition()
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), Handler)

    def server_bind(self) -> None:
        """Bind, without the look-up of the host's name that the base class makes."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection."""
        try:
            connection, address = super().get_request()
        except OSError as error:
            if error.errno in {errno.EMFILE, errno.ENFILE}:
                time.sleep(0.05)  # the connection stays in the queue, and the loop would turn at full speed
            raise
        connection.settimeout(self._client_timeout)
        return connection, address

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Turn away what is one connection too many; the sender comes again.

        A client that sends a byte now and then is never silent, and would keep others out forever. So without room,
        nothing more is read of requests that have taken longer than a client may be silent.
        """
        del client_address
        now = time.monotonic()
        with self._counting:
            self.connections += 1
            if len(self._open) < self._limits.connections:
                self._open[request] = now
                return True
            for connection, since in self._open.items():
                if now - since > self._client_timeout:
                    with suppress(OSError):  # the client went away first
                        connection.shutdown(socket.SHUT_RD)
        with suppress(OSError):
            request.sendall(_BUSY)
        return False

    def close_request(self, request: Any) -> None:
        """Close a connection."""
        with self._counting:
            self._open.pop(request, None)
            self._counting.notify_all()
        super().close_request(request)

    def request_ended(self, connection: socket.socket) -> None:
        """Restart the time limit for a connection's next request."""
        with self._counting:
            if connection in self._open:
                self._open[connection] = time.monotonic()

    def take(self, size: int) -> bool:
        """Return whether there is memory for a body of this size, and if so count it until ``give_back``."""
        with self._counting:
            if self._bytes_under_way + size > max(self._limits.bytes_under_way, self.limit):
                return False
            self._bytes_under_way += size
            return True

    def give_back(self, size: int) -> None:
        """Count a body as gone."""
        with self._counting:
            self._bytes_under_way -= size

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Overlook a client that goes away; anything else is a defect of the receiver."""
        del request, client_address
        if not isinstance(error := sys.exc_info()[1], OSError):
            _logger.error("the receiver failed", exc_info=error)

    def stop(self) -> None:
        """Stop accepting, let requests that have come in be answered, and wait for the connections' threads to end."""
        self.closing.set()
        with suppress(OSError):  # some systems refuse; there the loop ends when it looks the next time
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes the loop that accepts
        self.shutdown()
        # Whoever waits for a client's next bytes now finds the end; an answer can still be written, for a while.
        self._shut(socket.SHUT_RD)
        with self._counting:
            self._counting.wait_for(lambda: not self._open, _GRACE)
        self._shut(socket.SHUT_RDWR)
        self.server_close()

    def _shut(self, how: int) -> None:
        with self._counting:
            for connection in self._open:
                with suppress(OSError):  # the client went away first
                    connection.shutdown(how)
