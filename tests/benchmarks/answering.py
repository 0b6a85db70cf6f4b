"""A receiver that answers at once, in a process of its own: only the sender's work is left to be measured."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import snappy

from opentelemetry.exporter.prometheus_remote_write.proto.write_v2_pb2 import Request

_UNCOMPRESSED_LENGTH = 5  # bytes at the beginning of a snappy block that hold it


class Answering:
    """The receiver; it listens on the loopback as long as its process lives."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self) -> str:
        """Return where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        if "io.prometheus.write.v2" in self.headers["Content-Type"]:
            self.send_header("X-Prometheus-Remote-Write-Samples-Written", str(_samples(body)))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


_known: dict[bytes, int] = {}


def _samples(body: bytes) -> int:
    """Return how many samples a request holds.

    It is decoded when its length is seen for the first time; an exporter's requests hardly ever change their lengths.
    """
    length = body[:_UNCOMPRESSED_LENGTH]
    if length not in _known:
        _known[length] = sum(len(series.samples) for series in Request.FromString(snappy.uncompress(body)).timeseries)
    return _known[length]
