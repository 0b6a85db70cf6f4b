"""The settings of the connection to the receiver, except authentication: TLS, proxies and the protocol."""

from __future__ import annotations

from collections.abc import Mapping

from .authentication_settings import AuthenticationSettings
from .number_types import BOOLEAN, enumeration
from .row import setting
from .text_types import PATH, PROXIES, TEXT


class ConnectionSettings(AuthenticationSettings):
    """The part of the exporter's settings that transport reads."""

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
        "file with the client certificate",
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
        "server name to request (SNI) and to verify",
        shown="the endpoint's host",
        keyword="tls_config.server_name",
        guards=True,
    )
    insecure_skip_verify: bool = setting(
        "INSECURE_SKIP_VERIFY",
        BOOLEAN,
        default=False,
        doc="accept any server certificate",
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
        "version of Remote Write: `1.0`, `2.0`, or `auto`: 2.0 with a safe fallback to 1.0",
        shown="auto",
    )
