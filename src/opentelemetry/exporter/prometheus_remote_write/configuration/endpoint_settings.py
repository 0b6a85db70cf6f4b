"""The settings of requests: where they go, how often, and the headers of every request."""

from __future__ import annotations

from collections.abc import Mapping

from .number_types import INTERVAL, TIMEOUT
from .row import setting
from .text_types import HEADERS, URL

DEFAULT_PORTS = {"http": 80, "https": 443}
"""The schemes of endpoints and proxies, and the port of a URL that names none."""

RESERVED_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "retry-attempt",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "www-authenticate",
        "x-prometheus-remote-read-version",
        "x-prometheus-remote-write-version",
    }
)
"""Headers of the protocol and of the connection, in lower case, which a user cannot set (as in Prometheus)."""


class EndpointSettings:
    """Where requests go."""

    endpoint: str = setting(
        "ENDPOINT", URL, "", "full write URL, e.g. `http://prometheus:9090/api/v1/write`", secret=True, guards=True
    )
    timeout: float = setting(
        "TIMEOUT",
        TIMEOUT,
        30.0,
        "one HTTP request; it also ends with the export's deadline, and `0` sets no other limit. "
        "The keyword is in seconds",
        shown="30000",
    )
    interval: int | None = setting(
        "INTERVAL",
        INTERVAL,
        None,
        "interval of the controller (the periodic reader) that the configurator builds; 0 pushes once, at the end",
        shown="`OTEL_METRIC_EXPORT_INTERVAL`, 60000",
    )
    headers: Mapping[str, str] = setting(
        "HEADERS",
        HEADERS,
        {},
        "headers of every request, percent-encoded as in OTLP's; protocol headers cannot be overridden",
        secret=True,
        guards=True,
    )
