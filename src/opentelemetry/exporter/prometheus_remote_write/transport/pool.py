"""Requests to the receiver over connections that are kept."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPException
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlsplit, urlunsplit

from urllib3 import HTTPHeaderDict, PoolManager, ProxyManager
from urllib3.exceptions import HTTPError

from opentelemetry.exporter.prometheus_remote_write.errors import Retryable, Unsendable
from opentelemetry.exporter.prometheus_remote_write.settings import RESERVED_HEADERS, Settings, variable
from opentelemetry.exporter.prometheus_remote_write.transport.answer import Answer, refusal
from opentelemetry.exporter.prometheus_remote_write.transport.authentication import Authentication
from opentelemetry.exporter.prometheus_remote_write.transport.connection import (
    ConnectionPool,
    StaleConnectionError,
    TLSConnectionPool,
)
from opentelemetry.exporter.prometheus_remote_write.transport.deadline import Deadline, deadline
from opentelemetry.exporter.prometheus_remote_write.transport.failure import Route, failure
from opentelemetry.exporter.prometheus_remote_write.transport.headers import SECRET_LENGTH, merged, on_the_wire, secrets
from opentelemetry.exporter.prometheus_remote_write.transport.message import redacted, shown_url
from opentelemetry.exporter.prometheus_remote_write.transport.proxy import proxy_for
from opentelemetry.exporter.prometheus_remote_write.transport.silence import silence
from opentelemetry.exporter.prometheus_remote_write.transport.tls import proxy_context, receiver_context

_logger = logging.getLogger(__name__)

_BODY_BYTES = 4096  # read of an answer; a connection with more to come is closed rather than read on
_KEPT_CONNECTIONS = 16  # more than requests are ever under way together


class Response(NamedTuple):
    """An answer that accepts the request.

    Args:
        status: 2xx.
        headers: Names in any case.
    """

    status: int
    headers: Mapping[str, str]


class _Connected(NamedTuple):
    manager: PoolManager
    route: Route
    proxy_headers: Mapping[str, str]


class Transport:
    """Sends requests to one receiver, from any thread; connections are kept from request to request.

    Making one does no I/O and raises nothing, whatever the settings and the environment hold: what is wrong with them
    is raised by each :meth:`post`.

    Args:
        settings: Endpoint, headers, authentication, TLS and proxies.
        environ: The environment, for the proxies' variables.
        user_agent: The value of the header User-Agent.
        clock: Seconds since the epoch, for a Retry-After that is a date.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        environ: Mapping[str, str],
        user_agent: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        endpoint = _split(settings.endpoint)
        userinfo, _, host = endpoint.netloc.rpartition("@")
        self._endpoint = endpoint._replace(netloc=host)
        self._settings = settings
        self._environ = environ
        self._clock = clock
        self._authentication = Authentication(settings, userinfo)
        self._given_headers = {
            name: value for name, value in settings.headers.items() if name.lower() not in RESERVED_HEADERS
        }
        self._own_headers = {"User-Agent": user_agent}
        self._connected: _Connected | None = None
        self._inherited: _Connected | None = None
        self._lock = Lock()
        self._under_way: set[Deadline] = set()
        self._interrupted = False

    def post(self, body: bytes, headers: Mapping[str, str], timeout: float) -> Response:
        """Sends one request and waits for the answer.

        A kept connection that proves to be closed is replaced, and the request sent once more at once: the receiver
        takes the same samples twice as once, so nothing is lost should it have read the first.

        Args:
            body: The whole body.
            headers: Those of the protocol; they win over the user's.
            timeout: Seconds for everything from resolving the name to the answer; infinity is no limit.

        Raises:
            Retryable: The network failed, the time was over, or the receiver answered 5xx or 429.
            Rejected: The receiver answered something else than 2xx, a redirect for instance.
            Unsendable: A file or a proxy cannot be used, or the receiver is not who it should be.
        """
        connected = self._connect()
        given = merged(self._given_headers, self._authentication.headers())
        sent = on_the_wire(merged(given, self._own_headers, headers))
        try:
            with silence(), deadline(timeout) as end, self._interruptible(end):
                answer = self._exchange(connected.manager, body, sent)
        except (HTTPError, HTTPException, OSError, ValueError, StaleConnectionError) as cause:
            error = failure(cause, connected.route, timeout)
            if self._interrupted:
                error = Retryable(f"{connected.route.receiver} had not answered when the request was given up")
        else:
            if answer.accepted:
                return Response(answer.status, answer.headers)
            harmless = _without(answer, [*secrets(given), *secrets(connected.proxy_headers), *self._query_secrets()])
            error = refusal(harmless, connected.route.receiver, self._clock())
        # Raised here and not where the cause is at hand: exceptions of urllib3 hold the request, and would hang on it.
        raise error

    def renew_secrets(self) -> None:
        """Reads secrets from their files again before the next request, whether or not the files seem unchanged."""
        self._authentication.renew()

    def interrupt(self) -> None:
        """Ends the requests under way, from another thread; until :meth:`resume` every request fails at once."""
        self._interrupted = True
        for end in tuple(self._under_way):
            end.interrupt()

    def resume(self) -> None:
        """Ends the interruption."""
        self._interrupted = False

    def close(self) -> None:
        """Closes the connections that are not in use."""
        with self._lock:
            connected, self._connected = self._connected, None
        if connected:
            connected.manager.clear()

    def after_fork(self) -> None:
        """Forgets the parent's connections; to be called in a forked child before its first request.

        They are neither used nor closed: they stay referenced, because closing takes locks that a thread of the parent
        may have held.
        """
        self._lock = Lock()
        self._inherited, self._connected = self._connected, None
        self._under_way = set()
        self._interrupted = False

    @contextmanager
    def _interruptible(self, end: Deadline) -> Iterator[None]:
        self._under_way.add(end)
        try:
            if self._interrupted:
                end.interrupt()
            yield
        finally:
            self._under_way.discard(end)

    def _connect(self) -> _Connected:
        with self._lock:
            if self._connected is None:
                self._connected = self._pool()
            return self._connected

    def _pool(self) -> _Connected:
        endpoint, settings = self._endpoint, self._settings
        if endpoint.scheme not in {"http", "https"} or not endpoint.hostname:
            raise Unsendable(f"{variable('endpoint')} is not the URL of a receiver")
        arguments: dict[str, Any] = {"num_pools": 1, "maxsize": _KEPT_CONNECTIONS, "timeout": None}
        if endpoint.scheme == "https":
            arguments["ssl_context"] = receiver_context(settings)
            arguments["server_hostname"] = settings.tls_server_name or None
        proxy = proxy_for(endpoint, settings.proxies, self._environ)
        manager: PoolManager
        if proxy:
            context = proxy_context(settings) if proxy.url.startswith("https:") else None
            arguments.setdefault("ssl_context", context)  # what urllib3 2.0 takes for a proxy that forwards
            manager = ProxyManager(proxy.url, proxy_headers=proxy.headers, proxy_ssl_context=context, **arguments)
        else:
            context = None
            manager = PoolManager(**arguments)
        manager.pool_classes_by_scheme = {"http": ConnectionPool, "https": TLSConnectionPool}
        route = Route(shown_url(urlunsplit(endpoint)), proxy.url if proxy else "")
        if settings.insecure_skip_verify and (context or endpoint.scheme == "https"):
            _logger.warning(
                "%s is set: anybody can pretend to be %s and read what is sent, credentials included",
                variable("insecure_skip_verify"),
                route.receiver,
            )
        return _Connected(manager, route, proxy.headers if proxy else {})

    def _exchange(self, manager: PoolManager, body: bytes, headers: Mapping[str, str]) -> Answer:
        with suppress(StaleConnectionError):
            return self._request(manager, body, headers)
        # urllib3 has put an empty place on top of its stack, so this one opens a connection.
        return self._request(manager, body, headers)

    def _request(self, manager: PoolManager, body: bytes, headers: Mapping[str, str]) -> Answer:
        response = manager.urlopen(
            "POST",
            urlunsplit(self._endpoint),
            body=body,
            headers=headers,
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        said = b""
        with suppress(HTTPError, OSError):  # the status says enough, and an accepted request stays accepted
            said = response.read(_BODY_BYTES)
        if not response.closed:
            response.close()
            response.release_conn()
        return Answer(response.status, response.headers, said)

    def _query_secrets(self) -> Iterator[bytes]:
        yield self._endpoint.query.encode("utf-8", "replace")
        yield from (
            value.encode("utf-8", "replace")
            for _, value in parse_qsl(self._endpoint.query)
            if len(value) >= SECRET_LENGTH
        )


def _split(url: str) -> SplitResult:
    """The parts of a URL; none where it is malformed, which the first request will say."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return SplitResult("", "", "", "", "")
    return parts


def _without(answer: Answer, hidden: Collection[bytes]) -> Answer:
    """An answer as it may be shown: a receiver, a proxy or a page for debugging may repeat what it was sent."""
    headers = HTTPHeaderDict()
    for name, value in answer.headers.items():
        headers[name] = redacted(value.encode("latin-1", "replace"), hidden).decode("latin-1")
    return Answer(answer.status, headers, redacted(answer.body, hidden))
