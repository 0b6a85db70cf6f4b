"""Cortex in one process, with the configuration of the Compose example."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.servers.http_client import answers
from tests.servers.package import Package
from tests.servers.ports import LOOPBACK, free_port
from tests.servers.prometheus_api import PrometheusApi
from tests.servers.server import Server

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "compose"
CONFIGURATION = EXAMPLE / "cortex.yaml"
TENANT = "demo"
WRITTEN_FOR = "-config.file="


def flags_of_example() -> list[str]:
    """Return the flags that the Compose file starts Cortex with, but for the path of its configuration."""
    services = yaml.safe_load((EXAMPLE / "compose.yaml").read_text())["services"]
    return [flag for flag in services["cortex"]["command"] if not flag.startswith(WRITTEN_FOR)]


class Cortex(Server, PrometheusApi):
    """Runs inside a with block; what has been written is visible to the next query.

    The configuration stands as it is in the example. Only the container's root becomes the server's own folder, and
    the ports and the network interface those of the tests.
    """

    api_prefix = "/prometheus"
    api_headers = {"X-Scope-OrgID": TENANT}  # noqa: RUF012 - never changed

    def __init__(self, package: Package, *, flags: Sequence[str] = ()):
        super().__init__(package)
        self.write_url = f"{self.url}/api/v1/push"
        self.write_settings = {"headers": self.api_headers}
        self._grpc_port = free_port()
        self._flags = flags

    @property
    def version(self) -> str:
        return self.package.version

    def _ask(self, method: str, **fields: object) -> Any:
        if method == "query" and fields.get("time") is None:
            fields["time"] = time.time()  # its own idea of now is the beginning of the second
        return super()._ask(method, **fields)

    def _prepare(self) -> list[str]:
        (self.folder / "data").mkdir()
        rules = self.folder / "rules" / TENANT
        rules.mkdir(parents=True)
        shutil.copy(EXAMPLE.parent / "monitoring" / "rules.yaml", rules)
        text = CONFIGURATION.read_text().replace("/etc/cortex/rules", str(rules.parent))
        configuration = self.folder / "cortex.yaml"
        configuration.write_text(text.replace("/data", str(self.folder / "data")))
        rings = ("distributor", "compactor", "ruler")
        addresses = ["ingester.lifecycler.addr", *(f"{ring}.ring.instance-addr" for ring in rings)]
        return [
            str(self.package.path("usr/bin/cortex")),
            f"-config.file={configuration}",
            f"-server.http-listen-address={LOOPBACK}",
            f"-server.http-listen-port={self.port}",
            f"-server.grpc-listen-address={LOOPBACK}",
            f"-server.grpc-listen-port={self._grpc_port}",
            *(f"-{address}={LOOPBACK}" for address in addresses),
            "-log.level=warn",
            *self._flags,
        ]

    def _is_ready(self) -> bool:
        return answers(f"{self.url}/ready")
