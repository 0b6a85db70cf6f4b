"""Who may talk to the receiver: programs, and the receiver's own page, but no web page from elsewhere."""

from __future__ import annotations

import ipaddress
import re
import socket
from email.message import Message
from urllib.parse import urlsplit

_LONGEST = 100
_HOST = r"(?:(?P<name>[\w.-]+)|\[(?P<address>[0-9A-Fa-f:.]+)\])(?::[0-9]{0,5})?"


def foreign(headers: Message, listening_on: str, *, reading: bool) -> str | None:
    """Return why a request may not talk to the receiver, or None if it may.

    A browser sends in ``Host`` the name that it knows the receiver by, and in ``Origin`` the page that has it send
    something. So a page of another site is told apart, also where its name resolves to this machine (DNS rebinding).
    Where the receiver listens beyond loopback, a program that pushes may know it by a name that the receiver does not,
    such as that of a service of Compose; a browser says its Origin when it posts, and has none when it reads.

    Args:
        headers: The headers of the request.
        listening_on: The host that the receiver listens on.
        reading: Whether it asks for the page, and not to store something.
    """
    host = headers.get("Host")
    origins = headers.get_all("Origin") or []
    for origin in origins:
        if host is None or _authority(origin) != host.strip().lower():
            return f"a web page of {origin[:_LONGEST]!r} may not talk to this receiver"
    if host is None or _is_own(host, listening_on):
        return None
    if reading or origins or is_own_host(listening_on):
        return f"Host {host[:_LONGEST]!r} is no name of this receiver"
    return None


def is_wildcard(host: str) -> bool:
    """Return whether listening on a host means all addresses of the machine."""
    address = _address(host)
    return not host or (address is not None and address.is_unspecified)


def is_own_host(host: str) -> bool:
    """Return whether a host's name or address is that of this machine, without looking it up."""
    address = _address(host)
    if address is not None:
        return address.is_loopback
    return host == "localhost" or host.endswith(".localhost")


def _is_own(host_header: str, listening_on: str) -> bool:
    if not (found := re.fullmatch(_HOST, host_header.strip())):
        return False
    host = (found["name"] or found["address"]).lower()
    if is_own_host(host):
        return True
    if is_own_host(listening_on):
        return False
    return _address(host) is not None or host in {listening_on.lower(), socket.gethostname().lower()}


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _authority(url: str) -> str:
    """Return host and port of an origin; ``null``, which sandboxed pages send, has none."""
    try:
        return urlsplit(url.strip()).netloc.lower()
    except ValueError:
        return ""
