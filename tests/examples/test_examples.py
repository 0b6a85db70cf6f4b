"""Each example, run as its README says, pushes what it should to the strict receiver."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import urllib3
from opentelemetry.sdk import environment_variables

from examples.launcher.shop import Shop
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.servers.ports import free_port

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver
        assert receiver.rejected == []


def visit_shop(settings, log):
    with Shop(settings, free_port(), log) as shop:
        with urllib3.PoolManager(retries=False) as http:
            assert http.request("GET", f"{shop.url}/products/7").status == 200
        assert shop.stop() == 0, shop.log


def test_quickstart_in_code_pushes_every_kind_of_instrument(receiver):
    done = subprocess.run(
        [sys.executable, EXAMPLES / "code" / "quickstart.py", receiver.url], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert receiver.values("orders_total", table="0")[-1] == 5
    assert receiver.values("orders_total", table="1")[-1] == 5
    assert receiver.values("orders_waiting")[-1] == 0
    assert [receiver.values("order_duration_seconds_bucket", le=le)[-1] for le in ("0.1", "0.5", "1", "+Inf")] == [
        *(1, 5, 10, 10)
    ]
    assert receiver.values("order_duration_seconds_count")[-1] == 10
    assert receiver.values("order_duration_seconds_sum")[-1] == pytest.approx(5.5)
    assert receiver.values("oven_temperature_celsius")[-1] == 190
    assert receiver.values("seats_free", room="main", job="quickstart")[-1] == 42
    assert all(request.headers["X-Scope-OrgID"] == "5" for request in receiver.received)


@pytest.mark.skipif(
    not hasattr(environment_variables, "OTEL_CONFIG_FILE"), reason="this SDK reads no declarative files: 1.44 does"
)
def test_declarative_file_configures_the_exporter(receiver, tmp_path):
    settings = {
        "OTEL_CONFIG_FILE": str(EXAMPLES / "declarative" / "otel.yaml"),
        "OTEL_SEMCONV_STABILITY_OPT_IN": "http",
        "PUSH_TO": receiver.url,
    }
    visit_shop(settings, tmp_path / "shop.log")
    (series,) = receiver.series("http_server_request_duration_seconds_count", job="shop", cluster="berlin")
    assert series.samples[-1].value == 1
    assert series.label("instance")
    assert receiver.received[-1].headers["X-Scope-OrgID"] == "5"
