"""From a host's name to a connected socket, within the deadline of the request."""

from __future__ import annotations

import codecs
import queue
import socket
from collections.abc import Callable, Sequence
from threading import Thread
from typing import Any, TypeAlias

from .deadline import current, remaining
from .standby import STANDBY

# getaddrinfo imports this codec when it first needs it. A process that is forked at that moment inherits the lock of
# the module, which nobody holds any more, and could never look a name up.
codecs.lookup("idna")

SocketOptions: TypeAlias = Sequence[tuple[int, int, int | bytes]]
Addresses: TypeAlias = list[tuple[Any, ...]]
Lookup: TypeAlias = Callable[..., Addresses]  # as socket.getaddrinfo


def connected_socket(
    host: str, port: int, options: SocketOptions, *, lookup: Lookup = socket.getaddrinfo
) -> socket.socket:
    """Connects to the first address of a host that answers.

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
    failure: OSError = socket.gaierror(socket.EAI_NONAME, "no address belongs to the name")
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
    """Asks for a host's addresses, in a thread of its own: the system's resolver can neither be interrupted nor timed.

    Args:
        host: A name or an IP address.
        port: The TCP port.
        lookup: The resolver.

    Raises:
        TimeoutError: The resolver has not answered in time. Its thread is left to itself.
        OSError: The name cannot be resolved (``socket.gaierror``).
        UnicodeError: It is not a host's name.
    """
    answers: queue.SimpleQueue[Addresses | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(lookup(host, port, type=socket.SOCK_STREAM))
        except Exception as error:  # noqa: BLE001 - raised by the thread that waits
            answers.put(error)

    if running := current():
        running.wake_by(lambda: answers.put(TimeoutError("the request is interrupted")))
    try:
        Thread(target=ask, name="prometheus-remote-write-resolver", daemon=True).start()
    except RuntimeError:  # no thread can be started any more: the last export of a process that ends
        STANDBY.do(ask)
    try:
        answer = answers.get(timeout=remaining())
    except queue.Empty:
        raise TimeoutError("the name is not resolved in time") from None
    if isinstance(answer, Exception):
        raise answer
    return answer
