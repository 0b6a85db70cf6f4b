"""TLS with the receiver: its certificate, and why it is or is not trusted."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator

from ..configuration.settings import Settings, variable
from ..errors import Unsendable
from ..messages.text import plural
from ..transport.failure import Route, send_error
from ..transport.tls import receiver_context
from .certificate import Certificate, certificate, date, handshake, unverified
from .finding import Finding, failure, ok, warning

_SOON = 14  # days
_EXPIRED, _NOT_YET = 10, 9  # OpenSSL's X509_V_ERR_...
_OTHER_NAME = frozenset({62, 64})
_UNKNOWN_AUTHORITY = frozenset({2, 18, 19, 20, 21})


def findings(
    connect: Callable[[], socket.socket],
    settings: Settings,
    server_name: str,
    receiver: str,
    clock: Callable[[], float] = time.time,
) -> Iterator[Finding]:
    """Yield the findings of a TLS handshake.

    Args:
        connect: Opens a connection to the receiver.
        settings: The authorities, our certificate, and whether anything is verified.
        server_name: The name to ask for and to verify.
        receiver: The receiver's name in messages.
        clock: Seconds since the epoch.
    """
    try:
        context = receiver_context(settings)
    except Unsendable as error:
        yield failure("tls-file", f"{error}; nothing is sent", "name a file in PEM form that this user can read")
        return
    began = time.monotonic()
    try:
        with handshake(connect(), context, server_name) as connection:
            version, peer = connection.version(), connection.getpeercert()
    except ssl.SSLCertVerificationError as error:
        shown = unverified(connect, server_name)
        yield _untrusted(error, shown, settings, server_name, clock(), time.monotonic() - began)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        text = str(send_error(error, Route(receiver), settings.timeout))
        yield failure("tls", text, _cure(text), seconds=time.monotonic() - began)
    else:
        seconds = time.monotonic() - began
        shown = certificate(peer) if peer else unverified(connect, server_name)
        yield from _trusted(version or "TLS", shown, settings, clock(), seconds)


def _trusted(
    version: str, shown: Certificate | None, settings: Settings, now: float, seconds: float
) -> Iterator[Finding]:
    left = f"{version}; {shown}" if shown else version
    if shown:
        left += f" ({_days(shown.days_left(now))} left)"
    if settings.insecure_skip_verify:
        text = f"{left}; not verified: anyone on the path can read what is sent, credentials included"
        cure = f"set {variable('certificate')} instead of {variable('insecure_skip_verify')}"
        yield warning("tls-unverified", text, cure, seconds=seconds)
        return
    yield ok("tls", f"{left}; trusted by {_authorities(settings)}", seconds=seconds)
    if shown and shown.days_left(now) < _SOON:
        text = f"the receiver's certificate expires on {date(shown.ends)}"
        yield warning("tls-ends-soon", text, "have it renewed before then")


def _untrusted(  # noqa: PLR0913, PLR0917 - the parts of the message
    error: ssl.SSLCertVerificationError,
    shown: Certificate | None,
    settings: Settings,
    server_name: str,
    now: float,
    seconds: float,
) -> Finding:
    code = error.verify_code
    its = f"the receiver's certificate ({shown})" if shown else "the receiver's certificate"
    if code in {_EXPIRED, _NOT_YET}:
        when = f"expired {_days(-shown.days_left(now))} ago" if shown and code == _EXPIRED else error.verify_message
        cure = f"have it renewed; or set this machine's clock, which says {date(now)}"
        return failure("tls-expired", f"{its} is not valid now: {when}", cure, seconds=seconds)
    if code in _OTHER_NAME:
        names = ", ".join(shown.names) if shown else "another name"
        cure = f"use one of its names in {variable('endpoint')}, or set {variable('tls_server_name')} to one of them"
        return failure("tls-name", f"{its} is for {names}, not for {server_name}", cure, seconds=seconds)
    if code in _UNKNOWN_AUTHORITY:
        text = f"{its} was issued by an authority that is not among {_authorities(settings)} ({error.verify_message})"
        cure = f"put the authority's certificate, in PEM form, into a file and name it by {variable('certificate')}"
        return failure("tls-authority", text, cure, seconds=seconds)
    text = f"{its} is not trusted: {error.verify_message}"
    return failure("tls-untrusted", text, "have the receiver's certificate fixed", seconds=seconds)


def _authorities(settings: Settings) -> str:
    if settings.certificate:
        return f"those in {settings.certificate}"
    paths = ssl.get_default_verify_paths()
    return f"the system's authorities ({paths.cafile or paths.capath or 'none are there'})"


def _cure(text: str) -> str:
    if "did not answer" in text:
        return f"if the receiver does not speak TLS, write http:// in {variable('endpoint')}; else look at its log"
    if "does not speak TLS" in text:
        return f"write http:// in {variable('endpoint')}, or the port on which the receiver speaks TLS"
    if "refused TLS" in text:
        return f"set {variable('client_certificate')} and {variable('client_key')}"
    return "look at the receiver's log, and at anything in between"


def _days(number: int) -> str:
    return f"{number} {plural(number, 'day')}"
