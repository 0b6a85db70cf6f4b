"""Which proxy stands between us and the receiver, if any.

The variables are those of curl, Go and Python's standard library: ``http_proxy``, ``https_proxy`` and ``no_proxy``, in
lower case or, where that is not set, in upper case. ``ALL_PROXY`` is not read, as by Go and so by Prometheus.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from urllib3.util import parse_url

from ..configuration.settings import variable
from ..errors import Unsendable
from ..messages.secret import SecretMapping
from .authentication.basic import basic_from_userinfo

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Proxy(NamedTuple):
    """A proxy.

    Args:
        url: Scheme, host and port.
        headers: For the proxy alone: its credentials.
    """

    url: str
    headers: Mapping[str, str]


def proxy_for(endpoint: SplitResult, proxies: Mapping[str, str] | None, environ: Mapping[str, str]) -> Proxy | None:
    """Choose the proxy for an endpoint.

    Args:
        endpoint: The receiver's URL, http or https.
        proxies: By the endpoint's scheme; they alone count where they are given, and ``NO_PROXY`` does not.
        environ: The environment, used where ``proxies`` is None.

    Raises:
        Unsendable: A proxy is wanted that cannot be used. To go without it could send data where it must not go.
    """
    if proxies is not None:
        name, text = variable("proxies"), proxies.get(endpoint.scheme, "")
    else:
        name, text = _from_environment(f"{endpoint.scheme}_proxy", environ)
        _, exceptions = _from_environment("no_proxy", environ)
        port = endpoint.port or _DEFAULT_PORTS[endpoint.scheme]
        if bypassed(endpoint.hostname or "", port, exceptions):
            return None
    return _parsed(name, text.strip()) if text.strip() else None


def _from_environment(name: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """A variable's name as it is spelled there, and its text; a lower-case one that is empty counts as no proxy."""
    if name in environ:
        return name, environ[name]
    # In a CGI program HTTP_PROXY is the request header "Proxy", which anybody can send (https://httpoxy.org).
    if name == "http_proxy" and "REQUEST_METHOD" in environ:
        return name, ""
    return name.upper(), environ.get(name.upper(), "")


def _parsed(name: str, text: str) -> Proxy:
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        if parts.scheme not in _DEFAULT_PORTS:
            raise Unsendable(f"{name}: proxies by {parts.scheme}:// are not supported, only http:// and https://")
        userinfo, _, _ = parts.netloc.rpartition("@")
        host = parts.hostname or ""
        address = f"[{host}]" if ":" in host else host
        url = f"{parts.scheme}://{address}:{parts.port or _DEFAULT_PORTS[parts.scheme]}"
        # urllib3 must not go to another place than is written there.
        if not host or re.search(r"[\s\\]", host) or parse_url(url).url != url:
            raise ValueError  # noqa: TRY301 - as the others here
        headers = SecretMapping({"Proxy-Authorization": basic_from_userinfo(userinfo)} if userinfo else {})
    except ValueError:
        raise Unsendable(f"{name} is not a proxy's URL") from None
    return Proxy(url, headers)


def bypassed(host: str, port: int, exceptions: str) -> bool:
    """Return whether ``NO_PROXY`` says that a host is reached directly.

    Entries stand between commas or white space: ``*`` for all; a domain, which includes the names below it, with or
    without a dot (or ``*.``) in front; an IP address; a block of addresses such as ``10.0.0.0/8``; each also with
    ``:port``. No name is resolved.

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
