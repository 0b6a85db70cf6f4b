"""The Compose example's files, and its shop as they set it up."""

from __future__ import annotations

import json
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


def dashboard():
    return json.loads((COMPOSE / "grafana" / "application.json").read_text())


def dashboard_queries():
    """The dashboard's PromQL, with Grafana's variables filled in."""
    return [
        target["expr"].replace("$__rate_interval", "1m").replace("$job", "shop")
        for panel in dashboard()["panels"]
        for target in panel["targets"]
    ]


def visit_shop(url, log, enough):
    """Run the shop with the settings of the Compose file and visit it until enough has arrived."""
    settings = {
        **environment("compose.yaml", "shop"),
        f"{PREFIX}ENDPOINT": url,
        f"{PREFIX}INTERVAL": "300",  # a rate needs two samples
    }
    with Shop(settings, free_port(), log) as shop, urllib3.PoolManager(retries=False) as http:
        http.request("GET", shop.url)
        enough()
        http.request("GET", f"{shop.url}/products/7")
        http.request("POST", f"{shop.url}/checkout", json=[30, 12])
        enough()
        assert shop.stop() == 0, shop.log
