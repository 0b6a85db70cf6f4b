"""Options of the interpreter make no difference: the count arrives, and nothing is printed."""

from __future__ import annotations

import sys

import pytest

from tests.application import LAUNCHER, run
from tests.end_to_end.fleet import total

COUNTS = """
from opentelemetry import metrics
metrics.get_meter("shop").create_counter("orders").add(3)
"""
IN_CODE = """
from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
provider = MeterProvider([PeriodicExportingMetricReader(PrometheusRemoteWriteMetricsExporter())])
provider.get_meter("shop").create_counter("orders").add(3)
"""
OPTIONS = [("-X", "dev"), ("-W", "error"), ("-O",), ("-OO",), ("-P",), ("-bb",), ("-s",), ("-u", "-q")]


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_the_launcher_takes_it(receiver, tmp_path, options):
    if options == ("-P",) and sys.version_info < (3, 11):
        pytest.skip("Python has this option from 3.11 on")
    ended = run(LAUNCHER, "python", *options, "-c", COUNTS, cwd=tmp_path, OTEL_EXPORTER_PRW_ENDPOINT=receiver.url)
    assert (ended.status, ended.output, ended.errors) == (0, "", [])
    assert total(receiver, "orders_total") == 3


def test_the_launcher_takes_safe_path(receiver, tmp_path):
    variables = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url, "PYTHONSAFEPATH": "1"}
    ended = run(LAUNCHER, "python", "-c", COUNTS, cwd=tmp_path, **variables)
    assert (ended.status, ended.output, ended.errors) == (0, "", [])
    assert total(receiver, "orders_total") == 3


def test_code_takes_isolation(receiver, tmp_path):
    code = IN_CODE.replace("Exporter()", f"Exporter(endpoint={receiver.url!r})")
    ended = run("python", "-I", "-X", "dev", "-W", "error", "-bb", "-c", code, cwd=tmp_path)
    assert (ended.status, ended.output, ended.errors) == (0, "", [])
    assert total(receiver, "orders_total") == 3
