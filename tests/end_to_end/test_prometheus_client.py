"""Applications that are measured with prometheus_client, unmodified: scraped and pushed, Prometheus has them twice."""

from __future__ import annotations

import json
import signal
import time
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.end_to_end.fleet import Program
from tests.end_to_end.test_launcher import declared, reads_files
from tests.servers.ports import free_port

LIBRARY = r"""
import math, sys, time
from prometheus_client import REGISTRY, Counter, Enum, Gauge, Histogram, Info, Summary, start_http_server
from prometheus_client.core import GaugeHistogramMetricFamily, SummaryMetricFamily, UnknownMetricFamily
Counter("orders", "Orders", ["job", "instance", "path"]).labels("nightly", "db", "/a b").inc(3)
Counter("hits", "Hits").inc(1, exemplar={"trace_id": "abc"})
level = Gauge("level", 'With "quotes", \\ and\nlines', ["at"])
for at in ("", " ", "a\nb", 'q"q', "back\\slash", "ü€😀", "{}"):
    level.labels(at).set(-0.5)
for name, value in (("nan", math.nan), ("inf", math.inf), ("low", -math.inf), ("large", 1e300), ("small", 5e-324)):
    Gauge(name, "A value").set(value)
Gauge("http.requests.waiting", "A name of OpenTelemetry's kind", ["http.route"]).labels("/").set(2)
latency = Histogram("latency", "Latency", ["path"], unit="seconds")
for seconds in (0.004, 0.3, 20):
    latency.labels("/").observe(seconds, exemplar={"trace_id": "def"})
Summary("size", "Size", unit="bytes").observe(512)
Info("build", "Build").info({"version": "1.2"})
Enum("state", "State", states=["starting", "running"]).state("running")
class Custom:
    def collect(self):
        quantiles = SummaryMetricFamily("quantiles", "Quantiles", count_value=3, sum_value=4.5)
        quantiles.add_sample("quantiles", {"quantile": "0.5"}, 1.5)
        quantiles.add_sample("quantiles", {"quantile": "0.99"}, 2.0)
        yield quantiles
        yield GaugeHistogramMetricFamily("waiting", "Waiting", buckets=[("1.0", 2), ("+Inf", 3)], gsum_value=4)
        yield UnknownMetricFamily("whatever", "Untyped", 5)
REGISTRY.register(Custom())
start_http_server(int(sys.argv[1]), "127.0.0.1")
time.sleep(600)
"""
EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "prometheus_client"
APPLICATIONS = {
    "the library's own page": (LIBRARY, ("python", "app.py", "PORT")),
    "Flask with prometheus_flask_exporter": ((EXAMPLES / "flask_app.py").read_text(), ("python", "app.py", "PORT")),
    "FastAPI with prometheus-fastapi-instrumentator": (
        (EXAMPLES / "fastapi_app.py").read_text(),
        ("uvicorn", "--port", "PORT", "app:app"),
    ),
}
# What goes on while nothing is asked for, or is measured by the scrape itself.
MOVING = ("process_", "python_gc_", "flask_", "http_", "python_info")
ONLY_SCRAPED = ("up", "scrape_")


def get(url):
    deadline = time.monotonic() + 60
    while True:
        try:
            with urlopen(url, timeout=60) as response:
                return response.read()
        except OSError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.05)


def held(prometheus, job):
    """The values by name and labels that a Prometheus holds of a job."""
    found = {}
    for sample in prometheus.query(f'{{job="{job}"}}'):
        if "otel_scope_name" in sample.labels:  # what the application measures with OpenTelemetry beside
            continue
        labels = {name: text for name, text in sample.labels.items() if name not in {"job", "instance"}}
        name = labels["__name__"]
        if not name.startswith(ONLY_SCRAPED) and not name.endswith("_created") and name != "target_info":
            found[tuple(sorted(labels.items()))] = sample.value
    return found


@pytest.mark.parametrize("name", APPLICATIONS)
@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
def test_what_is_pushed_is_what_is_scraped(name, protocol, start_prometheus, tmp_path):
    source, command = APPLICATIONS[name]
    (tmp_path / "app.py").write_text(source)
    port = free_port()
    target = {"targets": [f"127.0.0.1:{port}"]}
    scrape = {"job_name": "scraped", "scrape_interval": "250ms", "static_configs": [target]}
    prometheus = start_prometheus(configuration=json.dumps({"scrape_configs": [scrape]}))
    variables = {
        "OTEL_EXPORTER_PRW_ENDPOINT": prometheus.write_url,
        "OTEL_EXPORTER_PRW_PROTOCOL": protocol,
        "OTEL_EXPORTER_PRW_INTERVAL": "250",
        "OTEL_EXPORTER_PRW_PROMETHEUS_CLIENT": "true",
        "OTEL_EXPORTER_PRW_DISABLE_ZERO_SAMPLES": "true",
        "OTEL_METRICS_EXPORTER": "prometheus_remote_write",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "flask,fastapi,system_metrics",
        "PYTHONPATH": str(tmp_path),
    }
    started = [str(port) if word == "PORT" else word for word in command]
    with Program(*started, folder=tmp_path, **variables):
        for number in range(3):
            with suppress(Exception):
                get(f"http://127.0.0.1:{port}/products/{number}" if "product" in source else f"http://127.0.0.1:{port}")
        deadline = time.monotonic() + 60
        while True:
            scraped, pushed = held(prometheus, "scraped"), held(prometheus, "shop")
            still = {key for key in scraped if not dict(key)["__name__"].startswith(MOVING)}
            if (
                len(scraped) > 20
                and scraped.keys() == pushed.keys()
                and all(repr(scraped[key]) == repr(pushed[key]) for key in still)  # as texts, for NaN is not itself
            ):
                break
            assert time.monotonic() < deadline, sorted(scraped.items() ^ pushed.items())[:20]
            time.sleep(0.1)


WORKERS = """
import os
from prometheus_client import Counter
orders = Counter("orders", "Orders")
def app(environ, start_response):
    orders.inc()
    start_response("200 OK", [])
    return [str(os.getpid()).encode()]
"""


def test_the_files_of_all_workers_are_pushed_once(receiver, tmp_path):
    (tmp_path / "app.py").write_text(WORKERS)
    folder = tmp_path / "values"
    folder.mkdir()
    command = ("gunicorn", "--bind", "127.0.0.1:0", "--workers", "3", "--no-control-socket", "app:app")
    variables = {
        "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url,
        "OTEL_EXPORTER_PRW_INTERVAL": "300",
        "OTEL_EXPORTER_PRW_PROMETHEUS_CLIENT": "true",
        "OTEL_RESOURCE_ATTRIBUTES": "service.instance.id=pod-1",
        "PROMETHEUS_MULTIPROC_DIR": str(folder),
        "PYTHONPATH": str(tmp_path),
    }
    with Program(*command, folder=tmp_path, **variables) as program:
        url = program.said(r"Listening at: (http://\S+)")
        workers, sent = set(), 0
        while sent < 60 or len(workers) < 3:
            workers.add(get(url))
            sent += 1
        program.end(signal.SIGTERM)
    assert receiver.rejected == []
    (series,) = receiver.series("orders_total")
    assert series.label("instance") == "pod-1"
    assert series.samples[-1].value == sent


def test_a_batch_job_is_pushed_at_its_end(receiver, tmp_path):
    variables = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url, "OTEL_EXPORTER_PRW_PROMETHEUS_CLIENT": "true"}
    with Program("python", str(EXAMPLES / "job.py"), folder=tmp_path, **variables) as program:
        assert program.end() == 0
    assert {series.label("result"): series.samples[-1].value for series in receiver.series("import_records_total")} == {
        "imported": 900.0,
        "skipped": 100.0,
    }
    assert receiver.series("import_last_success_timestamp_seconds")


HANGS = """
import time
from prometheus_client import REGISTRY, Gauge
class Hangs:
    def collect(self):
        time.sleep(600)
    def describe(self):
        return []
REGISTRY.register(Hangs())
Gauge("level", "Level").set(1)
"""


def test_a_collector_that_hangs_at_the_end_costs_its_own_families_and_one_line(receiver, tmp_path):
    variables = {
        "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url,
        "OTEL_EXPORTER_PRW_PROMETHEUS_CLIENT": "true",
        "OTEL_EXPORTER_PRW_SHUTDOWN_TIMEOUT": "5000",
    }
    with Program("python", "-c", HANGS, folder=tmp_path, **variables) as program:
        assert program.end() == 0
    assert receiver.values("level") == [1]
    (line,) = program.log.read_text().splitlines()
    assert line.startswith("prometheus_client: collector Hangs did not answer within 2.")


@reads_files
def test_a_declarative_file_pushes_what_the_library_measures(receiver, tmp_path):
    exporter = f"{{endpoint: '{receiver.url}', prometheus_client: true}}"
    variables = declared(tmp_path, exporter)
    with Program("python", str(EXAMPLES / "job.py"), folder=tmp_path, **variables) as program:
        assert program.end() == 0
    assert receiver.series("import_records_total", result="imported", job="shop")
