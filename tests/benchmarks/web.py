"""An asyncio application under uvicorn, with an exporter beside it, and who asks it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from statistics import median, quantiles

import uvicorn
from opentelemetry.sdk.metrics.export import MetricExportResult

from tests.benchmarks.exporters import exporter
from tests.benchmarks.load import Application, Load

_TICK = 0.001  # seconds between two looks at the loop's lag
_PAUSE = 0.002  # seconds between the beginnings of two requests


class Web:
    """A trivial application, whose event loop runs in a thread of its own.

    Args:
        name: The exporter's.
        load: The work of one export.
        url: Of a receiver, without a path.
    """

    def __init__(self, name: str, load: list[int], url: str) -> None:
        application = Application(Load(*load))
        self._exporter = exporter(name, url)
        self._collected = [application.collect() for _ in range(3)]
        for _ in range(3):
            self._export()
        self._lags: list[float] = []
        self._over = threading.Event()
        self._other: threading.Thread | None = None
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # which connections inherit
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._answer, log_level="error", interface="asgi3", lifespan="off", loop="asyncio", http="h11"
        )
        server = uvicorn.Server(config)
        threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()

    def port(self) -> int:
        """Return where it listens."""
        return self._port

    def begin(self, *, exporting: bool) -> None:
        """Note from now on by how much the loop is late.

        Args:
            exporting: Whether exports run meanwhile, back to back.
        """
        self._over.clear()
        self._lags.clear()
        if exporting:
            self._other = threading.Thread(target=self._export_again_and_again)
            self._other.start()

    def end(self) -> tuple[float, float]:
        """Return the median and the 99th percentile of the loop's lag since the beginning."""
        lags = self._lags.copy()
        self._over.set()
        if self._other:
            self._other.join()
            self._other = None
        return median(lags), quantiles(lags, n=100)[98]

    def _export_again_and_again(self) -> None:
        while not self._over.is_set():
            self._export()

    def _export(self) -> None:
        self._collected.append(self._collected.pop(0))
        if self._exporter.export(self._collected[0]) is not MetricExportResult.SUCCESS:
            raise RuntimeError("an export failed, so it took no time")

    async def _answer(self, scope, _receive, send) -> None:
        if scope["path"] == "/watch":
            self._watching = asyncio.get_running_loop().create_task(self._watch())
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async def _watch(self) -> None:
        while True:
            due = time.perf_counter() + _TICK
            await asyncio.sleep(_TICK)
            self._lags.append(max(time.perf_counter() - due, 0.0))


class Asking:
    """Asks an application again and again, over one connection, from a process of its own.

    Args:
        port: Where the application listens.
    """

    def __init__(self, port: int) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port))
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._ask("/watch")

    def latencies(self, *, seconds: float) -> tuple[float, float]:
        """Ask for a while; return the median and the 99th percentile of the answers' times in seconds."""
        times = []
        due = time.perf_counter()
        end = due + seconds
        while due < end:
            due += _PAUSE
            time.sleep(max(due - time.perf_counter(), 0.0))
            began = time.perf_counter()
            self._ask("/")
            times.append(time.perf_counter() - began)
        return median(times), quantiles(times, n=100)[98]

    def _ask(self, path: str) -> None:
        self._connection.sendall(f"GET {path} HTTP/1.1\r\nHost: shop\r\n\r\n".encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\nok"):
            if not (more := self._connection.recv(4096)):
                raise RuntimeError("the application has closed the connection")
            answer += more
