"""SDKs in which a private or a new name that we use is called otherwise: what rests on it is lost, and nothing else.

Each is this very SDK, whose sources are changed while they are imported.
"""

from __future__ import annotations

import ast
import json
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from opentelemetry.exporter.prometheus_remote_write.configuration import aggregation
from opentelemetry.exporter.prometheus_remote_write.lifecycle import controller, sdk_internals
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.application import run

CHANGED = """
import importlib.machinery, re, sys

NAME = {name!r}

class Loader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname):
        source = self.get_source(fullname)
        if not re.search(rf"\\b{{NAME}}\\b", source):
            return super().get_code(fullname)
        return compile(re.sub(rf"\\b{{NAME}}\\b", NAME + "_of_another_sdk", source), self.path, "exec")

class Finder:
    @staticmethod
    def find_spec(fullname, path, target=None):
        if not fullname.startswith("opentelemetry.sdk"):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = Loader(spec.loader.name, spec.loader.path)
        return spec

sys.meta_path.insert(0, Finder)
"""
SHOP = """
import threading
from opentelemetry_prometheus_remote_write.configurator import PrometheusRemoteWriteConfigurator
PrometheusRemoteWriteConfigurator().configure(auto_instrumentation_version="7")
from opentelemetry import metrics, trace
with trace.get_tracer("shop").start_as_current_span("sale"):
    metrics.get_meter("shop").create_counter("sold").add(3)
collected = threading.Semaphore(0)
def stock(_):
    collected.release()
    return [metrics.Observation(7)]
metrics.get_meter("shop").create_observable_gauge("stock", callbacks=[stock])
for _ in range(2):
    assert collected.acquire(timeout=60), "nothing is collected"
"""
SDK = [
    Path(find_spec(f"opentelemetry.sdk.{module}").origin).read_text(encoding="utf-8")
    for module in (
        "metrics._internal",
        "metrics._internal.aggregation",
        "metrics._internal.export",
        "metrics._internal.measurement_consumer",
    )
]
PUBLIC_BUT_NEW = ["ServiceInstanceIdResourceDetector", "OTEL_CONFIG_FILE", "add_metric_reader"]


def touched():
    """The private names of the SDK's metrics that our code names."""
    for module in (aggregation, controller, sdk_internals):
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            name = getattr(node, "attr", None) or getattr(node, "name", None) or getattr(node, "value", None)
            if (
                isinstance(name, str)
                and re.fullmatch(r"_[a-z]\w+", name)
                and any(re.search(rf"\b{name}\b", text) for text in SDK)
            ):
                yield name


def sold(tmp_path, name):
    with Receiver() as receiver:
        ended = run(
            "python",
            "-c",
            CHANGED.format(name=name) + SHOP,
            cwd=tmp_path,
            OTEL_SERVICE_NAME="shop",
            OTEL_METRICS_EXPORTER="prometheus_remote_write",
            OTEL_TRACES_EXPORTER="console",
            OTEL_EXPORTER_PRW_ENDPOINT=receiver.url,
            OTEL_EXPORTER_PRW_INTERVAL="100",
        )
        return ended, receiver.values("sold_total"), receiver.rejected


@pytest.mark.parametrize("name", sorted({*touched(), *PUBLIC_BUT_NEW}))
def test_where_a_name_is_another_one_all_signals_live(tmp_path, name):
    ended, values, rejected = sold(tmp_path, name)
    assert (ended.status, rejected) == (0, [])
    assert len(ended.errors) <= 1, ended.errors
    assert json.loads(ended.output)["name"] == "sale"
    assert values[-1:] == [3], ended.errors


def test_without_the_sdk_s_configurator_metrics_live(tmp_path):
    ended, values, rejected = sold(tmp_path, "_OTelSDKConfigurator")
    assert (ended.status, rejected, values[-1:]) == (0, [], [3])
    (line,) = ended.errors
    assert (
        line == "This version of opentelemetry-sdk is not supported: only metrics are exported, by Remote Write alone"
    )
