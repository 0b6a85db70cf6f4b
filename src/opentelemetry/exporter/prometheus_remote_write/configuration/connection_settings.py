"""The settings of the way to the receiver: where it is, how we authenticate, TLS and proxies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..secret import NO_SECRET, Secret
from .number_types import BOOLEAN, MILLISECONDS, TIMEOUT, enumeration
from .row import setting
from .text_types import HEADERS, PATH, PROXIES, SECRET, TEXT, TOKEN, URL, USERNAME

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


@dataclass(frozen=True, kw_only=True)
class ConnectionSettings:
    """The part of the exporter's settings that transport reads."""

    endpoint: str = setting(
        "ENDPOINT", URL, "", "full write URL, e.g. `http://prometheus:9090/api/v1/write`", secret=True, guards=True
    )
    timeout: float = setting(
        "TIMEOUT",
        TIMEOUT,
        30.0,
        "one HTTP request; never longer than what is left of the export's own deadline. The keyword is in seconds",
        shown="30000",
    )
    interval: int | None = setting(
        "INTERVAL",
        MILLISECONDS,
        None,
        "interval of the controller (the periodic reader) that the configurator builds",
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
    username: Secret = setting(
        "USERNAME",
        USERNAME,
        NO_SECRET,
        "the user of basic authentication",
        keyword="basic_auth.username",
        secret=True,
        guards=True,
    )
    password: Secret = setting(
        "PASSWORD",
        SECRET,
        NO_SECRET,
        "its password",
        keyword="basic_auth.password",
        secret=True,
        guards=True,
    )
    password_file: str = setting(
        "PASSWORD_FILE",
        PATH,
        "",
        "file with its password",
        keyword="basic_auth.password_file",
        secret=True,
        guards=True,
    )
    bearer_token: Secret = setting(
        "BEARER_TOKEN", TOKEN, NO_SECRET, "`Authorization: Bearer` with this token", secret=True, guards=True
    )
    bearer_token_file: str = setting("BEARER_TOKEN_FILE", PATH, "", "file with the token", secret=True, guards=True)
    certificate: str = setting(
        "CERTIFICATE",
        PATH,
        "",
        "file with the certificate authorities to trust",
        shown="the system's",
        keyword="tls_config.ca_file",
        secret=True,
        guards=True,
    )
    client_certificate: str = setting(
        "CLIENT_CERTIFICATE",
        PATH,
        "",
        "file with our own certificate",
        keyword="tls_config.cert_file",
        secret=True,
        guards=True,
    )
    client_key: str = setting(
        "CLIENT_KEY", PATH, "", "file with its key", keyword="tls_config.key_file", secret=True, guards=True
    )
    tls_server_name: str = setting(
        "TLS_SERVER_NAME",
        TEXT,
        "",
        "name to ask for and to verify",
        shown="the endpoint's host",
        keyword="tls_config.server_name",
        guards=True,
    )
    insecure_skip_verify: bool = setting(
        "INSECURE_SKIP_VERIFY",
        BOOLEAN,
        default=False,
        doc="accept any certificate of the server",
        shown="false",
        keyword="tls_config.insecure_skip_verify",
    )
    proxies: Mapping[str, str] | None = setting(
        "PROXY",
        PROXIES,
        None,
        "proxy for all requests",
        shown="`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`",
        keyword="proxies",
        secret=True,
        guards=True,
    )
    protocol: str = setting(
        "PROTOCOL",
        enumeration("auto", "1.0", "2.0"),
        "auto",
        "version of Remote Write: `1.0`, `2.0`, or `auto`: 2.0 with a safe fall back to 1.0",
        shown="auto",
    )
