"""The shop as a process under opentelemetry-instrument, told by environment variables alone where its metrics go."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

APPLICATION = Path(__file__).with_name("app.py")
COMMAND = "opentelemetry-instrument python app.py"


class ShopError(Exception):
    """The shop does not run as it should; the text ends with what it printed."""


class Shop:
    """Runs inside a with block, and serves when the block begins.

    Args:
        settings: The environment variables of OpenTelemetry; the machine's own are left out.
        port: Where it listens on loopback.
        log: Where its output goes.
    """

    def __init__(self, settings: Mapping[str, str], port: int, log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._log = log
        inherited = {name: text for name, text in os.environ.items() if not _misleads(name)}
        self._environment = {**inherited, **settings, "PORT": str(port), "PYTHONUNBUFFERED": "1"}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def __enter__(self) -> Shop:  # noqa: PYI034 - Self is not in Python 3.10
        # Where make runs in the background, the shell has told it to ignore SIGINT, and the shop would inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        launcher = Path(sys.executable).with_name("opentelemetry-instrument")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [launcher, sys.executable, APPLICATION],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for who has started it
            )
        deadline = time.monotonic() + 30
        while not self._serves():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise ShopError(f"the shop does not start:\n{self.log}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """End it as Ctrl-C does; its last metrics are pushed on the way out. Returns the exit status."""
        if not self._process:
            return 0
        self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            raise ShopError(f"the shop does not stop:\n{self.log}") from None

    @property
    def log(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(errors="replace")

    def _serves(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self._port)) == 0


def _misleads(name: str) -> bool:
    return name.startswith("OTEL_") or name.lower().endswith("_proxy")
