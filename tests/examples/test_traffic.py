"""The demo's requests go on for as long as it is held."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from examples.launcher import traffic


def test_traffic_is_kept_up_until_the_end():
    paths = []
    enough = Event()

    class Shop(BaseHTTPRequestHandler):
        def do_GET(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            paths.append(self.path)
            if len(paths) > 20:
                enough.set()
            self.send_response(204)
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - the server's name

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        Thread(target=server.serve_forever).start()
        with traffic.kept_up(f"http://127.0.0.1:{server.server_port}"):
            assert enough.wait(60)
        server.shutdown()
    assert {"/", "/checkout", "/products/7"} <= {*paths}
