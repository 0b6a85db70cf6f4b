"""urllib3's connections and pools, bound to the request's deadline and silent towards the application."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any, cast

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from ..system.descriptor import Descriptor
from .address import connected_socket
from .deadline import current, remaining
from .deadline_response import DeadlineResponse, TunnelResponse

if TYPE_CHECKING:
    from urllib3 import HTTPResponse

_BLOCK = 65536  # bytes sent between checks of the clock
_LONGEST_IDLE = 90.0
"""Seconds by the wall clock for which a connection is kept: longer than the usual interval, less than middleboxes do.

Some drop idle connections silently, and so may a host that freezes its guest, such as AWS Lambda's: a request on such a
connection gets no answer, and would cost the whole timeout.
"""


class StaleConnectionError(Exception):
    """A reused connection was closed by the other side without an answer to this request.

    That is what happens if the receiver, or something in between, has dropped an idle connection.
    """


class Connection(HTTPConnection):
    """A connection whose every operation ends with the deadline of the request."""

    response_class = DeadlineResponse
    _served = False
    _served_at = 0.0
    _descriptor: Descriptor | None = None
    _last: DeadlineResponse | None = None

    @property
    def is_connected(self) -> bool:
        """Whether another request may be sent: not if unread bytes would be taken for its answer."""
        self._let_go()
        # The wall clock, because the monotonic one may stop while the guest is frozen; it may also be set back.
        is_fresh = not self._served or abs(time.time() - self._served_at) < _LONGEST_IDLE
        return is_fresh and not self._has_unread() and super().is_connected

    def close(self) -> None:
        """Close the connection."""
        self._let_go()
        super().close()

    def _has_unread(self) -> bool:
        """Whether anything after the last answer was already read from the socket."""
        tls = getattr(self.sock, "sslobj", self.sock)  # the first case: TLS within a proxy's TLS
        is_pending = isinstance(tls, ssl.SSLSocket | ssl.SSLObject) and tls.pending() > 0
        return is_pending or bool(self._last and self._last.lines.has_more)

    def _let_go(self) -> None:
        """Give up a socket whose descriptor the application has closed, and may have reused for a file of its own."""
        inner = getattr(self.sock, "socket", self.sock)  # the first case: TLS within a proxy's TLS
        if isinstance(inner, socket.socket) and self._descriptor and not self._descriptor.is_ours():
            inner.detach()
            self.sock = None

    def _tunnel(self) -> None:
        self.response_class = TunnelResponse
        try:
            super()._tunnel()
        finally:
            del self.response_class

    def _new_conn(self) -> socket.socket:
        self._served = False
        self._last = None
        try:
            made = connected_socket(self._dns_host, self.port, self.socket_options or ())
            self._descriptor = Descriptor(made.fileno())  # TLS is put around the same one
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "no connection in time") from error
        except OSError as error:
            raise NewConnectionError(self, "no connection") from error
        return made

    def send(self, data: Any) -> None:
        """Send bytes, a large body in blocks, because TLS restarts its timeout with each record."""
        if self.sock is None:
            self.connect()
        with memoryview(data) as view:
            for start in range(0, len(view), _BLOCK):
                self.sock.settimeout(remaining())
                super().send(view[start : start + _BLOCK])

    def request(self, *arguments: Any, **keywords: Any) -> None:
        """Send a request; the arguments are urllib3's.

        Raises:
            StaleConnectionError: TLS was ended by the other side while the connection was idle.
        """
        if self.sock is not None and (running := current()):
            running.watch(self.sock)  # a reused one; a new one is watched from its beginning
        try:
            super().request(*arguments, **keywords)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            if self._served:
                raise StaleConnectionError from None
            raise

    def getresponse(self) -> HTTPResponse:  # type: ignore[override] # as urllib3 does
        """Read status and headers of the answer.

        Raises:
            StaleConnectionError: The other side had closed the connection while it was idle.
        """
        try:
            response = super().getresponse()
        except ConnectionError:  # http.client.RemoteDisconnected is one of them
            if self._served:
                raise StaleConnectionError from None
            raise
        except (OSError, http.client.HTTPException, HTTPError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever the other side writes, it is not the request's fault
            raise http.client.HTTPException(type(error).__name__) from None
        self._served, self._served_at = True, time.time()
        self._last = cast("DeadlineResponse", response._original_response)  # noqa: SLF001 - of our response_class
        self._last.lines.end_with_time()  # the status is there, and says enough
        return response


class TLSConnection(Connection, HTTPSConnection):
    """The same with TLS."""


class ConnectionPool(HTTPConnectionPool):
    """Connections to a receiver or to a proxy that forwards to it."""

    ConnectionCls = Connection


class TLSConnectionPool(HTTPSConnectionPool):
    """Connections with TLS."""

    ConnectionCls = TLSConnection

    def _validate_conn(self, conn: Any) -> None:
        # As in urllib3, without its warning for each unverified request, which only process-wide filters could
        # suppress: our own log says once that verification is disabled.
        if conn.is_closed:
            conn.connect()
