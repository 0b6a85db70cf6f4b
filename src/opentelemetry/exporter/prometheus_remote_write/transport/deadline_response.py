"""Answers of the receiver and of proxies, read within the deadline of the request."""

from __future__ import annotations

import http.client
import io
import socket
from typing import Any

from .deadline import remaining

_INTERIM, _FINAL, _REDIRECTION = 100, 200, 300  # the first status of each kind
_LONGEST_LINE = 65536


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


class DeadlineResponse(http.client.HTTPResponse):
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


class TunnelResponse(DeadlineResponse):
    """A proxy's answer to CONNECT: any status of 2xx is success (RFC 9110, section 9.3.6), not 200 alone."""

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()
        return version, _FINAL if _FINAL <= status < _REDIRECTION else status, reason
