"""The proxy between us and the receiver, if any.

The variables are those of curl, Go and Python's standard library: ``http_proxy``, ``https_proxy`` and ``no_proxy``, in
lower case or, if that is not set, in upper case. ``ALL_PROXY`` is ignored, as by Go and therefore by Prometheus.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from urllib3.util import parse_url

from ..configuration.endpoint_settings import DEFAULT_PORTS
from ..configuration.settings import variable
from ..errors import Unsendable
from ..messages.secret import SecretMapping
from .authentication.basic import basic_from_userinfo


class Proxy(NamedTuple):
    """A proxy.

    Args:
        url: Scheme, host and port.
        headers: Only for the proxy: its credentials.
    """

    url: str
    headers: Mapping[str, str]


def proxy_for(endpoint: SplitResult, proxies: Mapping[str, str] | None, environ: Mapping[str, str]) -> Proxy | None:
    """Choose the proxy for an endpoint.

    Args:
        endpoint: The receiver's URL, http or https.
        proxies: By the endpoint's scheme; if given, only these count, and ``NO_PROXY`` is ignored.
        environ: The environment, used if ``proxies`` is None.

    Raises:
        Unsendable: The configured proxy cannot be used. Bypassing it could send data where it must not go.
    """
    if proxies is not None:
        name, text = variable("proxies"), proxies.get(endpoint.scheme, "")
    else:
        name, text = _from_environment(f"{endpoint.scheme}_proxy", environ)
        _, exceptions = _from_environment("no_proxy", environ)
        port = endpoint.port or DEFAULT_PORTS[endpoint.scheme]
        if bypassed(endpoint.hostname or "", port, exceptions):
            return None
    return _parsed(name, text.strip()) if text.strip() else None


def _from_environment(name: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return a variable's name as spelled in the environment, and its text; an empty lower-case one means no proxy."""
    if name in environ:
        return name, environ[name]
    # In a CGI program HTTP_PROXY is the request header "Proxy", which any client can set (https://httpoxy.org).
    if name == "http_proxy" and "REQUEST_METHOD" in environ:
        return name, ""
    return name.upper(), environ.get(name.upper(), "")


def _parsed(name: str, text: str) -> Proxy:
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        if parts.scheme not in DEFAULT_PORTS:
            raise Unsendable(f"{name}: proxies by {parts.scheme}:// are not supported, only http:// and https://")
        userinfo, _, _ = parts.netloc.rpartition("@")
        host = parts.hostname or ""
        address = f"[{host}]" if ":" in host else host
        url = f"{parts.scheme}://{address}:{parts.port or DEFAULT_PORTS[parts.scheme]}"
        # urllib3 must not connect to anything but what is written there.
        if not host or re.search(r"[\s\\]", host) or parse_url(url).url != url:
            raise ValueError  # noqa: TRY301 - like the others here
        headers = SecretMapping({"Proxy-Authorization": basic_from_userinfo(userinfo)} if userinfo else {})
    except ValueError:
        raise Unsendable(f"{name} is not a proxy's URL") from None
    return Proxy(url, headers)


def bypassed(host: str, port: int, exceptions: str) -> bool:
    """Return whether ``NO_PROXY`` says that a host is reached directly.

    Entries are separated by commas or white space: ``*`` for all; a domain, which includes its subdomains, with or
    without a leading dot (or ``*.``); an IP address; a block of addresses such as ``10.0.0.0/8``; each optionally with
    ``:port``. Names are not resolved.

    Args:
        host: The endpoint's host, without brackets.
        port: The endpoint's port.
        exceptions: The text of ``NO_PROXY``.
    """
    name = host.rstrip(".").lower()
    return any(_excepts(entry.lower(), name, port) for entry in re.split(r"[\s,]+", exceptions) if entry)


def _excepts(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    pattern, wanted_port = _split_port(entry)
    if wanted_port is not None and wanted_port != port:
        return False
    try:
        address = ip_address(host)
    except ValueError:
        domain = pattern.removeprefix("*").strip(".")
        return bool(domain) and (host == domain or host.endswith(f".{domain}"))
    try:
        return address in ip_network(pattern, strict=False)
    except ValueError:
        return False


def _split_port(entry: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"(?:\[(?P<v6>[^\]]+)\]|(?P<name>[^:]*))(?::(?P<port>[0-9]{1,5}))?", entry)
    if match is None:  # an IPv6 address or block without brackets
        return entry, None
    return match["v6"] or match["name"], int(match["port"]) if match["port"] else None
