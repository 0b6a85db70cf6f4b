"""Thanos Receive, and the Thanos Query that answers for it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tests.end_to_end.application import Application
from tests.servers.http_client import answers
from tests.servers.package import Package
from tests.servers.ports import LOOPBACK, free_port
from tests.servers.prometheus_api import PrometheusApi
from tests.servers.server import Server

REPLICA = "receive"
TENANT = "tenant_id"
SEEN_AFTER = 20.0  # seconds; Query asks every 5 s what there is
POLL = 0.1  # seconds
LONG_AGO = 5 * 3600  # seconds; before all that tests push


class ThanosReceive(Server, PrometheusApi):
    """Runs inside a with block, together with a Query. Labels that it adds of its own are taken off the answers.

    Args:
        package: The program.
        flags: More flags.
        limits: The default limits of a tenant.
        monitoring: The URL of a Prometheus that it asks how many series a tenant has, for the limit on these.
    """

    def __init__(
        self,
        package: Package,
        *,
        flags: Sequence[str] = (),
        limits: Mapping[str, Any] | None = None,
        monitoring: str = "",
    ):
        super().__init__(package)
        self._write_port, self._grpc_port = free_port(), free_port()
        self.write_url = f"http://{LOOPBACK}:{self._write_port}/api/v1/receive"
        self.write_settings: dict[str, Any] = {}
        self._flags = list(flags)
        if limits:
            write: dict[str, Any] = {"default": limits}
            if monitoring:
                write["global"] = {"meta_monitoring_url": monitoring}
                itself = [{"endpoints": [f"{LOOPBACK}:{self._grpc_port}"]}]
                self._flags.append(f"--receive.hashrings={json.dumps(itself)}")  # only a router has this limit
            self._flags.append(f"--receive.limits-config={json.dumps({'write': write})}")
        self._query = ThanosQuery(package, self._grpc_port)
        self._first: float | None = None  # the time of its first sample

    @property
    def version(self) -> str:
        return self.package.version

    def start(self) -> None:
        """Starts it and returns when Query asks it: not before it holds something, and for no time before that."""
        super().start()
        if self._first is None:
            self._first = time.time() - LONG_AGO
            first = Application(self.write_url, "first")
            first.meter.create_gauge("first").set(1)
            first.push(self._first)
            first.close()
            self._query.start()
        deadline = time.monotonic() + SEEN_AFTER
        while not self._query.query("first", self._first):
            if time.monotonic() > deadline:
                raise AssertionError(f"Query has not seen Receive within {SEEN_AFTER:g} s")
            time.sleep(POLL)

    def close(self) -> None:
        self._query.close()
        super().close()

    def _ask(self, method: str, **fields: object) -> Any:
        return _without_own_labels(self._query._ask(method, **fields))

    def _prepare(self) -> list[str]:
        return [
            str(self.package.path("usr/bin/thanos")),
            "receive",
            f"--tsdb.path={self.folder / 'data'}",
            f'--label={REPLICA}="0"',
            f"--http-address={LOOPBACK}:{self.port}",
            f"--grpc-address={LOOPBACK}:{self._grpc_port}",
            f"--remote-write.address={LOOPBACK}:{self._write_port}",
            f"--receive.local-endpoint={LOOPBACK}:{self._grpc_port}",
            "--log.level=warn",
            *self._flags,
        ]

    def _is_ready(self) -> bool:
        return answers(f"{self.url}/-/ready")


class ThanosQuery(Server, PrometheusApi):
    """Answers for what a Receive holds."""

    def __init__(self, package: Package, grpc_port: int):
        super().__init__(package)
        self._receive = f"{LOOPBACK}:{grpc_port}"

    def _prepare(self) -> list[str]:
        return [
            str(self.package.path("usr/bin/thanos")),
            "query",
            f"--http-address={LOOPBACK}:{self.port}",
            f"--grpc-address={LOOPBACK}:{free_port()}",
            f"--endpoint={self._receive}",
            f"--query.replica-label={REPLICA}",
            "--log.level=warn",
        ]

    def _is_ready(self) -> bool:
        return answers(f"{self.url}/-/ready")


def _without_own_labels(answer: Any) -> Any:
    """The answer, at any depth, without what Receive adds to every series."""
    if isinstance(answer, dict):
        return {name: _without_own_labels(value) for name, value in answer.items() if name not in (TENANT, REPLICA)}
    if isinstance(answer, list):
        return [_without_own_labels(element) for element in answer]
    return answer
