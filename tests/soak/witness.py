"""A passage to a receiver that remembers of each sample who sent it, and whether it had been accepted before."""

from __future__ import annotations

import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import urllib3

from opentelemetry.exporter.prometheus_remote_write.encoding.parts import parts
from opentelemetry.exporter.prometheus_remote_write.model.request import PROTOCOL_1, PROTOCOL_2, Request

OF_THE_CONNECTION = {"host", "content-length", "connection", "accept-encoding"}


class Repeat(NamedTuple):
    """A sample that was sent again, though the receiver had accepted it.

    Args:
        first: Who sent it first.
        accepted: When it was accepted, in seconds since the epoch.
        again: Who sent it again.
    """

    first: str
    accepted: float
    again: str


class Refusal(NamedTuple):
    """A request that the receiver did not take.

    Args:
        sender: Who sent it.
        at: When it was refused, in seconds since the epoch.
        said: The status, and what the receiver said.
    """

    sender: str
    at: float
    said: str


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Say nothing: who is killed closes its connection."""


class Witness:
    """Runs inside a with block: with Witness(prometheus.write_url) as witness; send to witness.url.

    Attributes:
        statuses: How many requests had which answer; 0 is none.
        bytes: How many were accepted.
        samples: How many were accepted, each counted once.
        repeats: What was sent again to no avail.
        refusals: The requests that it did not take.
    """

    def __init__(self, receiver: str):
        self.statuses: Counter[int] = Counter()
        self.bytes = 0
        self.repeats: list[Repeat] = []
        self.refusals: list[Refusal] = []
        self._accepted: dict[tuple[int, int], tuple[str, float]] = {}
        self._receiver = receiver
        self._lock = threading.Lock()
        self._pool = urllib3.PoolManager(retries=False, timeout=10, maxsize=20)
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/api/v1/write"

    @property
    def samples(self) -> int:
        return len(self._accepted)

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._pool.clear()

    def _note(self, body: bytes, headers, status: int, said: bytes) -> None:
        sender = headers["X-Worker"]
        protocol = PROTOCOL_2 if "io.prometheus.write.v2" in headers["Content-Type"] else PROTOCOL_1
        with self._lock:
            self.statuses[status] += 1
            if 400 <= status < 500 and status != 429:
                self.refusals.append(Refusal(sender, time.time(), f"{status} {said.decode(errors='replace').strip()}"))
            content = parts(Request(body, protocol, 0, 0, 0))
            for series in content.messages():
                labels = content.labels_of(series)
                for sample in series.samples:
                    key = (hash(labels), sample.timestamp)
                    if before := self._accepted.get(key):
                        self.repeats.append(Repeat(*before, sender))
                    elif status < 300:
                        self._accepted[key] = (sender, time.time())
            self.bytes += len(body) if status < 300 else 0

    def _handler(self):
        witness = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:  # who sends it was killed
                    self.close_connection = True
                    return
                headers = {name: text for name, text in self.headers.items() if name.lower() not in OF_THE_CONNECTION}
                try:
                    answer = witness._pool.request("POST", witness._receiver, body=body, headers=headers)
                except urllib3.exceptions.HTTPError:
                    witness.statuses[0] += 1
                    self.close_connection = True
                    return
                witness._note(body, self.headers, answer.status, answer.data)
                self.send_response(answer.status)
                for name, text in answer.headers.items():
                    if name.lower() not in {"connection", "content-length", "date", "transfer-encoding"}:
                        self.send_header(name, text)
                self.send_header("Content-Length", str(len(answer.data)))
                self.end_headers()
                self.wfile.write(answer.data)

            def log_message(self, *_):
                pass

        return Handler
