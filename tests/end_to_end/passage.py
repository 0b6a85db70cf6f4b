"""A passage to a receiver that remembers which version of the protocol each request spoke, and what was answered."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import urllib3


class Passed(NamedTuple):
    """One request: the protocol by its version header, and the answer."""

    version: str
    content_type: str
    status: int
    written: dict[str, str]


class Passage:
    """Runs inside a with block: with Passage(prometheus.write_url) as passage; send to passage.url."""

    def __init__(self, receiver: str):
        self.requests: list[Passed] = []
        self._receiver = receiver
        self._pool = urllib3.PoolManager(retries=False, timeout=10, maxsize=20)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    @property
    def versions(self) -> list[str]:
        return [request.version for request in self.requests]

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,)).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._pool.clear()

    def _handler(self):
        passage = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name: text for name, text in self.headers.items() if name != "Host"}
                answer = passage._pool.request("POST", passage._receiver, body=body, headers=headers)
                passage.requests.append(
                    Passed(
                        version=self.headers["X-Prometheus-Remote-Write-Version"],
                        content_type=self.headers["Content-Type"],
                        status=answer.status,
                        written={name: text for name, text in answer.headers.items() if name.endswith("-Written")},
                    )
                )
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
