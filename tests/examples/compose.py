"""The Compose example's files, and its shop as they set it up."""

from __future__ import annotations

from pathlib import Path

import urllib3
import yaml

from examples.launcher.shop import Shop
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import PREFIX
from tests.servers.ports import free_port

COMPOSE = Path(__file__).resolve().parents[2] / "examples" / "compose"
FILES = ["compose.yaml", "prometheus.yaml"]


def services(file):
    return yaml.safe_load((COMPOSE / file).read_text())["services"]


def environment(file, name):
    """The variables of a service; those of the service that it extends come first."""
    service = services(file)[name]
    extended = service.get("extends")
    inherited = environment(extended["file"], extended["service"]) if extended else {}
    return inherited | service.get("environment", {})


def visit_shop(url, log, enough, **changed):
    """Run the shop with the settings of the Compose file, but for those changed, and visit it until enough arrived."""
    settings = {
        **environment("compose.yaml", "shop"),
        f"{PREFIX}ENDPOINT": url,
        f"{PREFIX}INTERVAL": "300",  # a rate needs two samples
        **changed,
    }
    with Shop(settings, free_port(), log) as shop, urllib3.PoolManager(retries=False) as http:
        http.request("GET", shop.url)
        enough()
        http.request("GET", f"{shop.url}/products/7")
        http.request("POST", f"{shop.url}/checkout", json=[30, 12])
        http.request("POST", f"{shop.url}/checkout", json=[])  # answered with 500
        enough()
        assert shop.stop() == 0, shop.log
