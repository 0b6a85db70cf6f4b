"""What only the first export needs: imported in steps, and not in the middle of a fork."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.application import run

CHECKOUT = Path(__file__).resolve().parents[2]
MODULE = "opentelemetry.exporter.prometheus_remote_write.lifecycle.late_imports"
IMPORTED = f"""
import json, os, sys
import opentelemetry.sdk._configuration, opentelemetry.instrumentation.utils  # which are there before us
from {MODULE} import DATA_PATH, expect_exports, import_in_steps
def imported():
    return [name for name in ("urllib3", "google.protobuf", "snappy", DATA_PATH) if name in sys.modules]
"""


def said(script, cwd):
    ended = run("python", "-W", "ignore::DeprecationWarning", "-c", IMPORTED + script, cwd=cwd)
    assert (ended.status, ended.errors) == (0, [])
    return json.loads(ended.output)


def test_each_step_imports_little_after_those_before_it(tmp_path):
    """Else a step would take long; what a step does not need to import any more is left out of the list."""
    steps = said(
        "counts = []\nimport_in_steps(lambda _: counts.append(len(sys.modules)))\nprint(json.dumps(counts))", tmp_path
    )
    assert len(steps) > 10
    assert max(after - before for before, after in itertools.pairwise(steps)) < 60  # of some 160


@pytest.mark.parametrize(("after", "whole"), [(3, False), (1000, True)])
def test_it_ends_where_there_is_no_more_time(after, whole, tmp_path):
    script = f"pauses = []\nimport_in_steps(lambda _: len(pauses) >= {after} or pauses.append(1))\n"
    found = said(f"{script}print(json.dumps(imported()))", tmp_path)
    assert (len(found) == 4) == whole


def test_beside_gevent_nothing_is_imported_early(tmp_path):
    script = "sys.modules['gevent'] = sys\nimport_in_steps(lambda _: False)\nprint(json.dumps(imported()))"
    assert said(script, tmp_path) == []


@pytest.mark.parametrize(("expected", "count"), [(True, 4), (False, 0)])
def test_the_first_fork_imports_for_all_children_where_exports_are_expected(expected, count, tmp_path):
    script = f"""
sys.modules["{MODULE}"]._FORK_WAITS = 60  # however busy the machine is
if {expected}:
    expect_exports()
if not os.fork():
    os.write(1, json.dumps(imported()).encode())
    os._exit(0)
os.wait()
"""
    assert len(said(script, tmp_path)) == count


ENDS_BEFORE_ITS_FIRST_EXPORT = """
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.lifecycle.controller import Controller

exporter = PrometheusRemoteWriteMetricsExporter(endpoint="http://127.0.0.1:9/write", shutdown_timeout=2000)
MeterProvider([{reader}(exporter, 3_600_000)]).get_meter("x").create_counter("c").add(1)
"""


@pytest.mark.parametrize("reader", ["Controller", "PeriodicExportingMetricReader"])
def test_an_import_that_takes_too_long_at_the_exit_does_not_hold_it_up_and_is_said(reader, tmp_path):
    (tmp_path / "snappy.py").write_text("import time; time.sleep(3600)")
    (tmp_path / "app.py").write_text(ENDS_BEFORE_ITS_FIRST_EXPORT.format(reader=reader))
    ended = run("python", "app.py", cwd=tmp_path)
    said = "Metrics are lost: what an export needs could not be imported before the process ended"
    assert (ended.status, ended.errors) == (0, [said])


HANGING = """
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.lifecycle.controller import Controller
exporter = PrometheusRemoteWriteMetricsExporter("http://127.0.0.1:9/write", shutdown_timeout=1000)
provider = MeterProvider([Controller(exporter, INTERVAL)], shutdown_on_exit=False)
provider.get_meter("tests").create_counter("orders").add(1)
BEFORE
provider.shutdown()
print("(shut down)")
"""


WAITING = """
import sys, time
while "stringprep" not in sys.modules:
    time.sleep(0.01)
"""


@pytest.mark.parametrize(
    ("interval", "before"),
    [
        pytest.param("3_600_000", "", id="an import of the last export"),
        pytest.param("10", WAITING, id="an import of the first export"),
    ],
)
def test_an_import_that_hangs_does_not_hold_up_the_exit(tmp_path, interval, before):
    (tmp_path / "stringprep.py").write_text("import threading; threading.Event().wait()")
    script = HANGING.replace("INTERVAL", interval).replace("BEFORE", before)
    ended = run("python", "-c", script, cwd=tmp_path)
    assert (ended.status, ended.output) == (0, "(shut down)\n")
    assert any(line.startswith("Metrics are lost: ") for line in ended.errors)


PASSING = """
import os, resource, sys
from tests.collected import collected, counter
from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
exporter = PrometheusRemoteWriteMetricsExporter(sys.argv[1])
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")) - 1, hard))
refused = [exporter.export(collected(counter())).name for _ in range(3)]
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(*refused, exporter.export(collected(counter())).name)
exporter.shutdown()
"""


def test_an_import_that_had_no_descriptor_left_is_tried_again_and_told_once(tmp_path):
    with Receiver() as receiver:
        ended = run("python", "-c", PASSING, receiver.url, cwd=tmp_path, PYTHONPATH=str(CHECKOUT))
    assert ended.output.split() == ["FAILURE"] * 3 + ["SUCCESS"]
    (line,) = ended.errors
    assert "Too many open files" in line
