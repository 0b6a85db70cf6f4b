"""Why a request got no answer, in words, and whether to retry it."""

from __future__ import annotations

import errno
import re
import socket
import ssl
from http.client import BadStatusLine, HTTPException, IncompleteRead
from typing import NamedTuple

from urllib3.exceptions import NewConnectionError, ProtocolError, ProxyError, SSLError
from urllib3.exceptions import TimeoutError as RequestTimeoutError
from urllib3.util.ssl_match_hostname import CertificateError

from ..configuration.settings import variable
from ..errors import Cause, Rejected, Retryable, SendError, Unsendable

_REFUSED_TUNNEL = re.compile(r"Tunnel connection failed: ([0-9]{3})")
_INTERNAL_SERVER_ERROR = 500
_PROXY_AUTHENTICATION_REQUIRED = 407
_ALERT_OF_TLS = ("\x15\x03", "\\x15\\x03")  # the first bytes of its record, raw or as http.client shows them


class Route(NamedTuple):
    """Who is between us and the receiver.

    Args:
        receiver: The endpoint, fit for messages.
        proxy: The proxy, fit for messages; empty for none.
    """

    receiver: str
    proxy: str = ""


def send_error(error: Exception, route: Route, timeout: float) -> SendError:
    """Return our error for an exception of urllib3, a socket or TLS.

    Only the system's and OpenSSL's words are used: other parts of the exception's text may contain the URL's query or a
    header.

    Args:
        error: What was raised.
        route: Who was involved.
        timeout: Seconds that the request had.
    """
    cause = _cause(error)
    peer = route.receiver
    if isinstance(error, ProxyError):
        peer = f"the proxy {route.proxy}"
    elif route.proxy:
        peer = f"{route.receiver} through the proxy {route.proxy}"
    if isinstance(cause, (ssl.SSLError, CertificateError)):
        return _tls_failure(cause, peer)
    if isinstance(cause, ValueError):
        return Unsendable(f"{peer}: the URL or a header holds what HTTP does not allow ({type(cause).__name__})")
    if refused := _REFUSED_TUNNEL.match(str(cause) if isinstance(cause, OSError) else ""):
        return _refused_tunnel(int(refused[1]), route)
    what, words = _what_happened(cause, timeout)
    if isinstance(error, ProxyError) and what is not Cause.NO_DESCRIPTORS:
        what = Cause.PROXY_UNREACHABLE
    elif what is Cause.CLOSED and route.receiver.startswith("http:") and not route.proxy:
        what = Cause.PERHAPS_WANTS_TLS
    return Retryable(f"{peer} {words}", cause=what)


def _what_happened(  # noqa: PLR0911 - a table of exceptions
    cause: BaseException, timeout: float
) -> tuple[Cause, str]:
    if isinstance(cause, (RequestTimeoutError, TimeoutError)):
        return Cause.TIMEOUT, f"did not answer within {max(timeout, 0.0):.3g} s"
    if isinstance(cause, socket.gaierror):
        return Cause.HOST_UNKNOWN, f"cannot be found: the host name cannot be resolved ({cause.strerror})"
    # Which one a reset raises depends on how much of the request the system had accepted; http.client has its own.
    if isinstance(cause, (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)):
        return Cause.CLOSED, "closed the connection without an answer"
    if isinstance(cause, IncompleteRead):
        return Cause.NOT_HTTP, "closed the connection in the middle of its answer"
    if isinstance(cause, BadStatusLine) and str(cause).lstrip("'\"b").startswith(_ALERT_OF_TLS):
        return Cause.WANTS_TLS, "answered something that is not HTTP (a TLS alert)"
    if isinstance(cause, HTTPException):
        return Cause.NOT_HTTP, f"answered something that is not HTTP ({type(cause).__name__})"
    reason = cause.strerror if isinstance(cause, OSError) else None
    if isinstance(cause, OSError) and cause.errno in {errno.EMFILE, errno.ENFILE}:
        return Cause.NO_DESCRIPTORS, f"could not be reached: {reason}"
    return Cause.UNREACHABLE, f"could not be reached ({reason or type(cause).__name__})"


def _cause(error: BaseException) -> BaseException:
    """Return the exception of the socket, TLS or HTTP inside urllib3's."""
    inner: object = None
    if isinstance(error, ProxyError):
        inner = error.original_error
    elif isinstance(error, NewConnectionError):
        inner = error.__cause__
    elif isinstance(error, (ProtocolError, SSLError)):
        inner = error.args[-1]
    return _cause(inner) if isinstance(inner, BaseException) else error


def _tls_failure(error: ssl.SSLError | CertificateError, peer: str) -> SendError:
    """Return the error for a TLS failure.

    Retrying does not help if the peer is not who it should be, or refuses us by an alert. Any other failure (a
    connection that ends in the middle, an internal error) may be temporary.
    """
    if isinstance(error, (ssl.SSLCertVerificationError, CertificateError)):
        # The second is urllib3's, which compares names itself if the application has injected pyOpenSSL.
        reason = getattr(error, "verify_message", "the certificate is for another name").rstrip(".")
        return Unsendable(
            f"{peer} is not trusted: {reason}; nothing was sent. Set {variable('certificate')} to its authority, "
            f"or {variable('tls_server_name')} if it is for a name other than the URL's",
            cause=Cause.UNTRUSTED,
        )
    reason = error.reason or ""
    words = reason.replace("_", " ").lower() or type(error).__name__
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        words = "the connection ended in the middle"  # which of the two is raised depends on timing
    if reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"}:
        return Unsendable(
            f"{peer} does not speak TLS ({words}): is it http:// instead of https://?", cause=Cause.NO_TLS
        )
    if "ALERT" in reason and "INTERNAL_ERROR" not in reason:
        return Unsendable(
            f"{peer} refused the TLS handshake ({words}); if it asks for a client certificate, set "
            f"{variable('client_certificate')}",
            cause=Cause.TLS,
        )
    return Retryable(f"{peer}: TLS failed ({words})", cause=Cause.TLS)


def _refused_tunnel(status: int, route: Route) -> SendError:
    message = f"the proxy {route.proxy} answered {status} to CONNECT for {route.receiver}"
    if status >= _INTERNAL_SERVER_ERROR:
        return Retryable(message, status=status, cause=Cause.PROXY_UNREACHABLE)
    is_unknown = status == _PROXY_AUTHENTICATION_REQUIRED
    return Rejected(message, status=status, cause=Cause.PROXY_CREDENTIALS if is_unknown else Cause.PROXY_REFUSED)
