"""TCP ports on loopback."""

import random
import socket
import time

LOOPBACK = "127.0.0.1"
# Below the range from which systems take the ports of outgoing connections: a server that is stopped for a while finds
# its port free when it comes back, and no client that tries in the meantime gets connected to itself.
SERVER_PORTS = range(20000, 32000)


def free_port() -> int:
    """A port that nobody listens on."""
    for port in random.sample(SERVER_PORTS, k=100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port on {LOOPBACK} among 100 tried")


def wait_until_closed(port: int, timeout: float = 60) -> None:
    """Returns when nobody listens any more: a killed process's children may hold the port for a moment longer."""
    deadline = time.monotonic() + timeout
    while accepts(port):
        if time.monotonic() > deadline:
            raise TimeoutError(f"port {port} is still open after {timeout:g} s")
        time.sleep(0.01)


def accepts(port: int) -> bool:
    """Whether somebody listens on the port."""
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex((LOOPBACK, port)) == 0
