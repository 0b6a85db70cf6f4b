"""What a new user does: `otel-prw receive` in one terminal, `otel-prw run` with the example's shop in another."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from examples.launcher.shop import APPLICATION
from tests.servers.ports import free_port

COMMAND = [sys.executable, "-m", "opentelemetry_prometheus_remote_write"]


@contextmanager
def watched_shop():
    """Run both; yields the page's URL, the one for pushes, and the shop's."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("OTEL_")}
    port = free_port()
    receiving = subprocess.Popen(
        [*COMMAND, "receive", "--listen", "127.0.0.1:0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        endpoint = receiving.stderr.readline().strip().removeprefix("OTEL_EXPORTER_PRW_ENDPOINT=")
        page = receiving.stderr.readline().strip().removeprefix("page: ")
        shop = subprocess.Popen(
            [*COMMAND, "run", "--endpoint", endpoint, "--interval", "1s", "--", sys.executable, APPLICATION],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={
                **environment,
                "PORT": str(port),
                "OTEL_SERVICE_NAME": "shop",
                "OTEL_SEMCONV_STABILITY_OPT_IN": "http",
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}",
            },
        )
        try:
            wait_for_port(port, shop)
            yield SimpleNamespace(page=page, url=endpoint, shop=f"http://127.0.0.1:{port}")
        finally:
            end(shop)
    finally:
        end(receiving)
        receiving.stderr.close()


def wait_for_port(port, process):
    while process.poll() is None:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the shop has ended")


def end(process):
    process.terminate()
    try:
        process.wait(60)
    finally:
        process.kill()
        process.wait()
