"""urllib3's connections and pools, bound to the request's deadline and silent towards the application."""

from __future__ import annotations

import http.client
import io
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

if TYPE_CHECKING:
    from urllib3 import HTTPResponse

_BLOCK = 65536  # bytes sent between checks of the clock
_INTERIM, _FINAL, _REDIRECTION = 100, 200, 300  # the first status of each kind
_LONGEST_LINE = 65536
_LONGEST_IDLE = 90.0
"""Seconds by the wall clock for which a connection is kept: longer than the usual interval, less than middleboxes do.

Some drop idle connections silently, and so may a host that freezes its guest, such as AWS Lambda's: a request on such a
connection gets no answer, and would cost the whole timeout.
"""


class StaleConnectionError(Exception):
    """A reused connection was closed by the other side without an answer to this request.

    That is what happens if the receiver, or something in between, has dropped an idle connection.
    """


class _DeadlineReader(io.RawIOBase):
    """What arrives on a socket, each piece within what is left of the request's time.

    Attributes:
        reads_on: Whether anything more may be read.
        ends_with_time: Whether the end of the time is the end of what arrives, and no error.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._raw = sock.makefile("rb", buffering=0)
        self.reads_on = True
        self.ends_with_time = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if not self.reads_on:
            return None
        try:
            self._socket.settimeout(remaining())
            return self._raw.readinto(buffer)
        except TimeoutError:
            if self.ends_with_time:
                return 0
            raise

    def close(self) -> None:
        self._raw.close()
        super().close()


class _WholeLines(io.BufferedReader):
    """A reader whose lines after the first, the status, are complete.

    :mod:`http.client` takes the end of the connection for the end of the headers, so an answer cut off in the middle of
    them would seem to accept the request.

    Attributes:
        has_more: Whether something was left unread when it was closed.
    """

    _has_status = False
    has_more = False

    def __init__(self, raw: _DeadlineReader) -> None:
        super().__init__(raw)
        self._reader = raw

    def readline(self, size: int | None = -1, /) -> bytes:
        """Read a line.

        Raises:
            IncompleteRead: The other side closed the connection before the end of the line.
        """
        line = super().readline(size)
        if self._has_status and not line.endswith(b"\n") and len(line) != size:
            raise http.client.IncompleteRead(line)
        self._has_status = True
        return line

    def end_with_time(self) -> None:
        """From now on, take the end of the request's time for the end of what arrives."""
        self._reader.ends_with_time = True

    def close(self) -> None:
        """Close it, and note whether unrequested bytes were read from the socket."""
        if not self.closed:
            self._reader.reads_on = False
            self.has_more = bool(self.peek(1))
        super().close()


class _DeadlineFiles:
    """The part of a socket that :class:`http.client.HTTPResponse` uses."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def makefile(self, _mode: str) -> io.BufferedReader:
        return _WholeLines(_DeadlineReader(self._socket))


class _Response(http.client.HTTPResponse):
    """An answer, the receiver's or a proxy's to CONNECT, that is read within the deadline."""

    def __init__(self, sock: socket.socket, *arguments: Any, **keywords: Any) -> None:
        super().__init__(_DeadlineFiles(sock), *arguments, **keywords)  # type: ignore[arg-type] # makefile is enough
        self.lines: _WholeLines = self.fp  # type: ignore[assignment] # what makefile returns; it is None once it is closed

    def begin(self) -> None:
        """Read status and headers; if those are too many, too long or contradictory, the status says enough.

        Raises:
            HTTPException: There is no HTTP/1 status line, or the connection ended in the middle.
        """
        try:
            super().begin()
        except (http.client.IncompleteRead, http.client.UnknownProtocol):
            raise
        except http.client.HTTPException:
            if not isinstance(self.status, int):
                raise
            self.headers = self.msg = http.client.HTTPMessage()
        else:
            if len(set(self.headers.get_all("Content-Length", ()))) <= 1:
                return
            del self.headers["Content-Length"]
        self.chunked, self.length, self.will_close = False, 0, True  # the beginning of the next answer is unknown

    def _read_status(self) -> tuple[str, int, str]:
        """Read the final status: any number of interim answers may come before it (RFC 9110, section 15.2)."""
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc] # of the standard library
            if not _INTERIM <= status < _FINAL:
                return version, status, reason
            while self.lines.readline(_LONGEST_LINE).strip():
                pass


class TunnelResponse(_Response):
    """A proxy's answer to CONNECT: any status of 2xx is success (RFC 9110, section 9.3.6), not 200 alone."""

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()
        return version, _FINAL if _FINAL <= status < _REDIRECTION else status, reason


class Connection(HTTPConnection):
    """A connection whose every operation ends with the deadline of the request."""

    response_class = _Response
    _served = False
    _served_at = 0.0
    _descriptor: Descriptor | None = None
    _last: _Response | None = None

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
        self._last = cast("_Response", response._original_response)  # noqa: SLF001 - of our response_class
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
