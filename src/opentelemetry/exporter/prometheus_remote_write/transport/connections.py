"""The connections to a receiver, with the proxy, the authorities and the certificate at the time of their creation."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import SplitResult, urlunsplit

from urllib3 import PoolManager, ProxyManager
from urllib3.exceptions import ClosedPoolError

from ..configuration.settings import Settings, variable
from ..errors import Unsendable
from ..messages.shown import shown_url
from .answer import Answer, unpacked
from .connection import (
    ConnectionPool,
    StaleConnectionError,
    TLSConnectionPool,
)
from .deadline import at_most
from .failure import Route
from .proxy import Proxy, proxy_for
from .tls import proxy_context, receiver_context

_BODY_BYTES = 4096
_BODY_SECONDS = 0.5
"""How long a body is waited for, which only explains the status and may never end; the connection is then closed."""
_KEPT_CONNECTIONS = 16  # more than there are ever concurrent requests


class Connections:
    """Connections to one receiver, kept from request to request until they are closed.

    Creating them reads the TLS files, but connects to nothing.

    Args:
        endpoint: The receiver's URL, without userinfo.
        settings: TLS and proxies.
        environ: The environment, for the proxies' variables.
        answer_bytes: How much of an answer is read; a connection with more to come is closed.

    Attributes:
        route: Who is between us and the receiver.
        proxy_headers: Only for the proxy: its credentials.
        tls_proxy: The proxy, if it is reached by TLS.

    Raises:
        Unsendable: A file or a proxy cannot be used, or there is no receiver.
    """

    def __init__(
        self,
        endpoint: SplitResult,
        settings: Settings,
        environ: Mapping[str, str],
        *,
        answer_bytes: int = _BODY_BYTES,
    ) -> None:
        if endpoint.scheme not in {"http", "https"} or not endpoint.hostname:
            raise Unsendable(f"{variable('endpoint')} is not the URL of a receiver")
        proxy = proxy_for(endpoint, settings.proxies, environ)
        self._url = urlunsplit(endpoint)
        self._answer_bytes = answer_bytes
        self._manager = _manager(endpoint, settings, proxy)
        self.route = Route(shown_url(self._url), proxy.url if proxy else "")
        self.proxy_headers = proxy.headers if proxy else {}
        self.tls_proxy = proxy.url if proxy and proxy.url.startswith("https:") else ""

    def close(self) -> None:
        """Close the connections, each as soon as no request uses it."""
        self._manager.clear()

    def exchange(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send one request and wait for the answer.

        If a reused connection turns out to be closed, the request is sent once more at once on a new one: receivers
        ignore repeated samples, so it does no harm if the first request was read.

        Args:
            body: The whole body.
            headers: All of them.

        Raises:
            HTTPError: As urllib3 does, and exceptions of ``http.client``, of the socket and of TLS.
            StaleConnectionError: The new connection was also closed.
        """
        with suppress(StaleConnectionError, ClosedPoolError):  # the second: closed after the caller chose this pool
            return self._request(body, headers)
        # urllib3's pool now has an empty slot on top, or is new, so this request opens a connection.
        return self._request(body, headers)

    def _request(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        response = self._manager.urlopen(
            "POST",
            self._url,
            body=body,
            headers=headers,
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        try:
            # The status says enough, and an accepted request stays accepted, whatever happens to the body.
            with at_most(_BODY_SECONDS):
                said = response.read(self._answer_bytes)
        except Exception as error:  # noqa: BLE001 - as above
            came = getattr(error.__cause__, "partial", b"")  # chunks that came before the fault
            said = came if isinstance(came, bytes) else b""  # urllib3's own error has their number
        if not response.closed:
            response.close()
            response.release_conn()
        return Answer(response.status, response.headers, unpacked(said, response.headers.get("Content-Encoding", "")))


def _manager(endpoint: SplitResult, settings: Settings, proxy: Proxy | None) -> PoolManager:
    arguments: dict[str, Any] = {"num_pools": 1, "maxsize": _KEPT_CONNECTIONS, "timeout": None}
    if endpoint.scheme == "https":
        arguments["ssl_context"] = receiver_context(settings)
        arguments["server_hostname"] = settings.tls_server_name or None
    manager: PoolManager
    if proxy:
        context = proxy_context(settings) if proxy.url.startswith("https:") else None
        arguments.setdefault("ssl_context", context)  # how urllib3 2.0 recognises a forwarding proxy
        manager = ProxyManager(proxy.url, proxy_headers=proxy.headers, proxy_ssl_context=context, **arguments)
    else:
        manager = PoolManager(**arguments)
    manager.pool_classes_by_scheme = {"http": ConnectionPool, "https": TLSConnectionPool}
    return manager
