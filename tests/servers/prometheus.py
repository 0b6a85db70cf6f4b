"""A Prometheus that receives by Remote Write and scrapes nothing."""

from collections.abc import Sequence
from typing import Any

from tests.servers.http_client import answers, get
from tests.servers.package import Package
from tests.servers.ports import LOOPBACK
from tests.servers.prometheus_api import PrometheusApi
from tests.servers.server import Server


class Prometheus(Server, PrometheusApi):
    """Runs inside a with block: with Prometheus(package, features=["exemplar-storage"]) as prometheus.

    Args:
        package: Where its program is.
        flags: Command-line flags beside those that it needs.
        features: What of it to switch on.
        configuration: The text of its configuration file.
    """

    def __init__(
        self,
        package: Package,
        *,
        flags: Sequence[str] = (),
        features: Sequence[str] = (),
        configuration: str = "scrape_configs: []\n",
    ):
        super().__init__(package)
        self._configuration = configuration
        self.write_url = f"{self.url}/api/v1/write"
        self.write_settings: dict[str, Any] = {}
        self._flags = [*flags, *([f"--enable-feature={','.join(features)}"] if features else [])]

    @property
    def version(self) -> str:
        """The version it says it is, such as 2.42.0+ds."""
        said = get(f"{self.url}/api/v1/status/buildinfo").json()["data"]["version"]
        return said or self.package.version  # what Go alone has built does not know

    @property
    def flags(self) -> dict[str, str]:
        """The flags it runs with, by name."""
        return get(f"{self.url}/api/v1/status/flags").json()["data"]

    def _prepare(self) -> list[str]:
        configuration = self.folder / "prometheus.yml"
        configuration.write_text(self._configuration)
        return [
            str(self.package.path("usr/bin/prometheus")),
            f"--config.file={configuration}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address={LOOPBACK}:{self.port}",
            "--web.enable-remote-write-receiver",
            *self._flags,
        ]

    def _is_ready(self) -> bool:
        return answers(f"{self.url}/-/ready")
