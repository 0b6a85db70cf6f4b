"""Each series that docs/reference/metrics.md has as an example arrives from the demo's application."""

from __future__ import annotations

import re

import pytest
import urllib3

from examples.launcher.shop import Shop
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.docs.pages import SITE, text
from tests.servers.ports import free_port

TABLE = text(SITE / "reference" / "metrics.md").partition("from `make demo`:")[2].partition("Join other")[0]
ROWS = {row.split("|")[1].strip(): row.split("|")[3] for row in TABLE.strip().splitlines()[2:]}
EXAMPLES = [
    re.fullmatch(r"(\w+)(?:\{(.*)\})?", example).groups()
    for cell in ROWS.values()
    for example in re.findall("`([^`]*)`", cell)
]


@pytest.fixture(scope="module")
def receiver(tmp_path_factory):
    """What the shop pushes after a visit to its routes."""
    with Receiver() as receiver:
        settings = {
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_PYTHON_DISTRO": "prometheus_remote_write",
            "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url,
            "OTEL_EXPORTER_PRW_INTERVAL": "500",  # a second measurement: a ratio of CPU time has none before
            "OTEL_SEMCONV_STABILITY_OPT_IN": "http",
        }
        log = tmp_path_factory.mktemp("shop") / "shop.log"
        with Shop(settings, free_port(), log) as shop, urllib3.PoolManager(retries=False) as http:
            http.request("GET", shop.url)
            http.request("POST", f"{shop.url}/checkout", json=[])
            receiver.wait_for(2, 60)
            assert shop.stop() == 0
        yield receiver


@pytest.mark.parametrize(("name", "labels"), EXAMPLES)
def test_series_arrives(receiver, name, labels):
    assert receiver.series(name, **dict(re.findall(r'(\w+)="([^"]*)"', labels or "")))


def test_every_row_has_an_example():
    assert {what for what, cell in ROWS.items() if "`" not in cell} == set()
    assert {"counter", "histogram", "resource"} <= ROWS.keys()
