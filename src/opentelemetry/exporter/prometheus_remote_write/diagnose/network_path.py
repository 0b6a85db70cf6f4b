"""The network path to the receiver, step by step: the proxy, the name, TCP, the tunnel, TLS. No request is made."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPException
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from ..configuration.endpoint_settings import DEFAULT_PORTS
from ..configuration.settings import Settings, variable
from ..errors import Unsendable
from ..messages.shown import shown_url
from ..transport.address import connected_socket, resolve
from ..transport.deadline import remaining
from ..transport.deadline_response import TunnelResponse
from ..transport.failure import Route, send_error
from ..transport.proxy import Proxy, bypassed, proxy_for
from ..transport.tls import proxy_context
from .certificate import handshake
from .encryption import findings as encryption_findings
from .finding import Finding, failure, ok

_OK = 200


class Hop(NamedTuple):
    """The peer that we connect to: the receiver, or a proxy in front of it."""

    host: str
    port: int


class NetworkPath:
    """The network path to a receiver.

    Args:
        settings: With an endpoint.
        environ: The environment, for the proxies' variables.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._environ = environ
        self._endpoint = urlsplit(settings.endpoint)
        self._receiver = _hop(self._endpoint)
        self._first = self._receiver
        self._proxy: Proxy | None = None
        self._addresses: list[tuple[object, ...]] = []

    @property
    def has_proxy(self) -> bool:
        """Whether there is a proxy, once :meth:`findings` has found out."""
        return self._proxy is not None

    def findings(self) -> Iterator[Finding]:
        """Yield a finding for each step, until one fails."""
        for step in (self._find_proxy, self._resolve, self._connect, self._tunnel):
            for finding in step():
                yield finding
                if finding.cure:
                    return
        if self._endpoint.scheme == "https":
            name = self._settings.tls_server_name or self._receiver.host
            yield from encryption_findings(self._open, self._settings, name, shown_url(self._settings.endpoint))

    def _find_proxy(self) -> Iterator[Finding]:
        try:
            self._proxy = proxy_for(self._endpoint, self._settings.proxies, self._environ)
        except Unsendable as error:
            yield failure("proxy", f"{error}; nothing is sent", "correct it, or unset it")
            return
        if self._proxy:
            self._first = _hop(urlsplit(self._proxy.url))
            user = " with a user and a password" if self._proxy.headers else ""
            yield ok("proxy", f"{self._proxy.url}{user}: {self._named_by()} names it")
        else:
            yield ok("proxy", f"none: {self._why_none()}")

    def _resolve(self) -> Iterator[Finding]:
        began = time.monotonic()
        host, port = self._first
        try:
            self._addresses = list(resolve(host, port))
        except (OSError, UnicodeError) as error:
            yield failure("name", self._why(error), self._name_cure(), seconds=time.monotonic() - began)
            return
        if not _is_address(host):
            texts = dict.fromkeys(str(address[-1][0]) for address in self._addresses if isinstance(address[-1], tuple))
            yield ok("name", f"{host} is {', '.join(texts)}", seconds=time.monotonic() - began)

    def _connect(self) -> Iterator[Finding]:
        began = time.monotonic()
        try:
            with closing(self._socket()) as connection:
                address, port, *_ = connection.getpeername()
        except OSError as error:
            yield failure("tcp", self._why(error), self._first_cure(), seconds=time.monotonic() - began)
        else:
            yield ok("tcp", f"connected to {address} port {port}", seconds=time.monotonic() - began)

    def _tunnel(self) -> Iterator[Finding]:
        if not self._proxy or self._endpoint.scheme != "https":
            return
        began = time.monotonic()
        try:
            self._open().close()
        except (OSError, HTTPException, Unsendable) as error:
            text = str(error) if isinstance(error, Unsendable) else self._why(error)
            cure = f"look at the proxy's rules and at the user and the password in {self._named_by()}"
            yield failure("proxy-refused", text, cure, seconds=time.monotonic() - began)
        else:
            yield ok("tunnel", f"the proxy connects to {_target(self._receiver)}", seconds=time.monotonic() - began)

    def _socket(self) -> socket.socket:
        return connected_socket(*self._first, (), lookup=lambda *_, **__: self._addresses)

    def _open(self) -> socket.socket:
        """Open a connection that ends at the receiver, through the proxy if there is one."""
        connection = self._socket()
        if not self._proxy:
            return connection
        try:
            if self._proxy.url.startswith("https:"):
                connection = handshake(connection, proxy_context(self._settings), self._first.host)
            target = _target(self._receiver)
            lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
            lines += [f"{name}: {text}" for name, text in self._proxy.headers.items()]
            connection.settimeout(remaining())
            connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1", "replace"))
            answer = TunnelResponse(connection, method="CONNECT")
            answer.begin()
            if answer.status != _OK:
                raise OSError(f"Tunnel connection failed: {answer.status}")  # noqa: TRY301 - as http.client says it
        except BaseException:
            connection.close()
            raise
        return connection

    def _why(self, error: Exception) -> str:
        route = Route(shown_url(self._settings.endpoint), self._proxy.url if self._proxy else "")
        return str(send_error(error, route, self._settings.timeout))

    def _name_cure(self) -> str:
        setting = self._named_by() if self._proxy else variable("endpoint")
        return f"look at the host name in {setting}, and at the resolver (DNS) of this machine or pod"

    def _first_cure(self) -> str:
        if self._proxy:
            return f"look at {self._named_by()}: is the proxy's name right, and does it run?"
        return f"look at host and port in {variable('endpoint')}, whether the receiver runs, and at firewalls"

    def _named_by(self) -> str:
        if self._settings.proxies is not None:
            return variable("proxies")
        name = f"{self._endpoint.scheme}_proxy"
        return name if name in self._environ else name.upper()

    def _why_none(self) -> str:
        name = self._named_by()
        if self._settings.proxies is not None:
            return f"{name} names none for {self._endpoint.scheme}"
        if name in self._environ and self._environ.get(name.upper(), "").strip() and not self._environ[name].strip():
            return f"{name} is empty, which overrides {name.upper()}"
        if not self._environ.get(name, "").strip():
            return f"neither {variable('proxies')} nor {name.upper()} is set"
        exceptions = self._environ.get("no_proxy", self._environ.get("NO_PROXY", ""))
        if bypassed(*self._receiver, exceptions):
            return f"{name} is set, but NO_PROXY excludes {self._receiver.host}"
        return f"{name} is not read in a CGI program"


def _hop(parts: SplitResult) -> Hop:
    return Hop(parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme])


def _target(hop: Hop) -> str:
    return f"[{hop.host}]:{hop.port}" if ":" in hop.host else f"{hop.host}:{hop.port}"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
