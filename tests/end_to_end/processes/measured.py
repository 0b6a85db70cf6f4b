"""Web and celery applications that prometheus_client measures, in a folder that their processes share."""

import os
import signal
from pathlib import Path

from prometheus_client import Counter, Histogram

requests = Counter("requests", "Requests", ["path"])
latency = Histogram("latency_seconds", "Latency", buckets=(0.1, 1.0))


def measure(path):
    requests.labels(path).inc()
    latency.observe(0.5)


def wsgi(environ, start_response):
    measure(environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    measure(scope["path"])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
    if scope["path"] == "/crash":
        os.kill(os.getpid(), signal.SIGKILL)


if "BROKER_FOLDER" in os.environ:
    from celery import Celery

    folder = Path(os.environ["BROKER_FOLDER"])
    folder.joinpath("control").mkdir(exist_ok=True)
    app = Celery("measured", broker="filesystem://")
    app.conf.update(
        broker_transport_options={
            "data_folder_in": str(folder),
            "data_folder_out": str(folder),
            "control_folder": str(folder / "control"),
        },
        worker_prefetch_multiplier=1,
    )
    task = app.task(measure, name="measure")
