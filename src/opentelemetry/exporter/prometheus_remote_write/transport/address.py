"""From a host's name to a connected socket, within the deadline of the request."""

from __future__ import annotations

import codecs
import socket
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from .deadline import current, remaining, within_deadline

# getaddrinfo imports this codec when it first needs it. A process forked at that moment inherits the lock of
# the module, which nobody holds any more, and could never look a name up.
codecs.lookup("idna")

SocketOptions: TypeAlias = Sequence[tuple[int, int, int | bytes]]
Addresses: TypeAlias = list[tuple[Any, ...]]
Lookup: TypeAlias = Callable[..., Addresses]  # like socket.getaddrinfo


def connected_socket(
    host: str, port: int, options: SocketOptions, *, lookup: Lookup = socket.getaddrinfo
) -> socket.socket:
    """Connect to the first address of a host that answers.

    Each address gets an equal share of the time that is left, so that one behind a black hole (often the IPv6 one)
    leaves time for the others.

    Args:
        host: A name or an IP address.
        port: The TCP port.
        options: Arguments of ``setsockopt``.
        lookup: The resolver.

    Raises:
        TimeoutError: The deadline has passed, or the last address did not answer in its share of the time.
        OSError: The name cannot be resolved (``socket.gaierror``), or the last address cannot be connected to.
    """
    addresses = resolve(host, port, lookup=lookup)
    failure: OSError = socket.gaierror(socket.EAI_NONAME, "the name has no address")
    for untried, (family, kind, protocol, _, address) in zip(range(len(addresses), 0, -1), addresses, strict=True):
        left = remaining()
        try:
            connection = socket.socket(family, kind, protocol)
        except OSError as error:  # no IPv6 on this machine
            failure = error
            continue
        if running := current():
            running.watch(connection)
        try:
            for option in options:
                connection.setsockopt(*option)
            connection.settimeout(left and left / untried)
            connection.connect(address)
            connection.settimeout(remaining())
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure


def resolve(host: str, port: int, *, lookup: Lookup = socket.getaddrinfo) -> Addresses:
    """Return a host's addresses, with only one lookup at a time for each name.

    Args:
        host: A name or an IP address.
        port: The TCP port.
        lookup: The resolver.

    Raises:
        TimeoutError: The resolver has not answered in time.
        OSError: The name cannot be resolved (``socket.gaierror``).
        UnicodeError: It is not a host name.
    """
    try:
        # Without the port: a name that nobody answers for costs one thread, whichever of its ports are asked for.
        found = within_deadline(("look-up", lookup, host.lower()), lambda: lookup(host, None, type=socket.SOCK_STREAM))
    except TimeoutError:
        raise TimeoutError("the name was not resolved in time") from None
    return [(*of_socket, (ip, own or port, *more)) for *of_socket, (ip, own, *more) in found]
