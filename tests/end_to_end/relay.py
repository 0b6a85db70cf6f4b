"""A relay between an exporter and a receiver, whose connections can die as those of a frozen guest do."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: what is closed is reset


class Relay:
    """Runs inside a with block; send to relay.url.

    Args:
        host: Of the receiver.
        port: Of the receiver.

    Attributes:
        accepted: How many connections were made.
    """

    def __init__(self, host: str, port: int):
        self.accepted = 0
        self._target = (host, port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._silent: set[socket.socket] = set()
        self._made: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/api/v1/write"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listening.close()
        self.reset()
        for each in self._made:  # those that were closed in an orderly way are only shut down
            each.close()

    def close(self) -> None:
        """Close all connections in an orderly way."""
        for each in self._taken():
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Reset all connections."""
        for each in self._taken():
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            with suppress(OSError):
                each.shutdown(socket.SHUT_RD)  # which ends the reading of it; only then it is closed
            each.close()

    def fall_silent(self) -> None:
        """Pass nothing on any more of what comes on the connections of now, and say nothing about it."""
        self._silent |= {each for pair in self._pairs for each in pair}

    def _taken(self) -> list[socket.socket]:
        """Return all sockets, of which nothing is passed on any more."""
        self.fall_silent()
        pairs, self._pairs = self._pairs, []
        return [each for pair in pairs for each in pair]

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            self.accepted += 1
            far = socket.create_connection(self._target)
            self._pairs.append((near, far))
            self._made += near, far
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if source not in self._silent:
                    sink.sendall(data)
            if source not in self._silent:
                sink.shutdown(socket.SHUT_WR)
        except OSError:
            return
