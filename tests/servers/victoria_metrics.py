"""A single-node VictoriaMetrics, which accepts Prometheus's Remote Write and answers its queries."""

import time
from collections.abc import Sequence
from typing import Any

from tests.servers.http_client import answers, get
from tests.servers.package import Package
from tests.servers.ports import LOOPBACK
from tests.servers.prometheus_api import PrometheusApi
from tests.servers.server import Server


class VictoriaMetrics(Server, PrometheusApi):
    """Runs inside a with block; what has been written is visible to the next query, and lost when it is killed.

    Only query_range keeps back the last second: it repeats the value before.
    """

    def __init__(self, package: Package, *, flags: Sequence[str] = ()):
        super().__init__(package)
        self.write_url = f"{self.url}/api/v1/write"
        self.write_settings: dict[str, Any] = {}
        self._flags = flags

    @property
    def version(self) -> str:
        """The package's version: Debian's binary does not know its own."""
        return self.package.version

    def flush(self) -> None:
        """Makes everything written so far visible to queries."""
        get(f"{self.url}/internal/force_flush")

    def _ask(self, method: str, **fields: object) -> Any:
        self.flush()
        if method == "query" and fields.get("time") is None:
            fields["time"] = time.time()  # its own idea of now is the beginning of the second
        return super()._ask(method, nocache=1, **fields)  # without it the last second is kept back all the same

    def _prepare(self) -> list[str]:
        return [
            str(self.package.path("usr/bin/victoria-metrics")),
            f"-storageDataPath={self.folder / 'data'}",
            f"-httpListenAddr={LOOPBACK}:{self.port}",
            "-search.latencyOffset=0s",  # by default the last 30 s are kept back, because scrapes may be late
            "-search.disableCache",
            "-memory.allowedBytes=64MB",
            *self._flags,
        ]

    def _is_ready(self) -> bool:
        return answers(f"{self.url}/health")
