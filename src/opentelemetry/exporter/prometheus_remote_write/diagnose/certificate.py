"""The content of a server's certificate, even if it is not trusted.

Python returns a certificate's content only if it is verified. So an untrusted one is fetched in a first handshake that
verifies nothing, and becomes the only authority of a second one, which ignores its dates; nothing is sent in either.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

from ..transport.deadline import remaining

_NO_CHECK_TIME = 0x200000  # OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python does not define
_DAY = 86_400.0


class Certificate(NamedTuple):
    """A certificate's content.

    Args:
        subject: The common name, or else the whole subject.
        names: The names and addresses that it is for.
        issuer: Who signed it.
        begins: The beginning of its validity, in seconds since the epoch.
        ends: The end of its validity.
    """

    subject: str
    names: tuple[str, ...]
    issuer: str
    begins: float
    ends: float

    def days_left(self, now: float) -> int:
        """Return the whole days until it expires; negative afterwards."""
        return int((self.ends - now) / _DAY)

    def __str__(self) -> str:
        names = ", ".join(self.names) or "no name"
        return f"{self.subject or 'no subject'}, for {names}, issued by {self.issuer}, until {date(self.ends)}"


def date(seconds: float) -> str:
    """Return the day of a time in seconds since the epoch."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d")


def certificate(peer: Mapping[str, Any]) -> Certificate:
    """Return the content of a certificate from ``SSLSocket.getpeercert``."""
    names = tuple(str(name) for kind, name in peer.get("subjectAltName", ()) if kind in {"DNS", "IP Address"})
    begins, ends = (ssl.cert_time_to_seconds(peer[key]) for key in ("notBefore", "notAfter"))
    return Certificate(_name(peer.get("subject", ())), names, _name(peer.get("issuer", ())), begins, ends)


def unverified(connect: Callable[[], socket.socket], server_name: str) -> Certificate | None:
    """Return the content of a server's certificate, verified or not; None if it cannot be fetched.

    Args:
        connect: Opens a connection to the server.
        server_name: The name to ask for.
    """
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE
    try:
        with handshake(connect(), anybody, server_name) as connection:
            shown = connection.getpeercert(binary_form=True)
        if not shown:
            return None
        itself = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        itself.check_hostname = False
        itself.load_verify_locations(cadata=ssl.DER_cert_to_PEM_cert(shown))
        itself.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
        with handshake(connect(), itself, server_name) as connection:
            return certificate(connection.getpeercert() or {})
    except (OSError, ValueError, KeyError):  # ssl.SSLError is an OSError
        return None


def handshake(connection: socket.socket, context: ssl.SSLContext, server_name: str) -> ssl.SSLSocket:
    """Return a connection after its TLS handshake; close it if that fails.

    Args:
        connection: The connection.
        context: The rules of verification.
        server_name: The name to ask for.
    """
    try:
        connection.settimeout(remaining())
        return context.wrap_socket(connection, server_hostname=server_name)
    except BaseException:
        connection.close()
        raise


def _name(parts: tuple[tuple[tuple[str, str], ...], ...]) -> str:
    pairs = [pair for part in parts for pair in part]
    common = [text for key, text in pairs if key == "commonName"]
    return common[0] if common else ", ".join(text for _, text in pairs)
