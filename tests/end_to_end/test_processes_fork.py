"""A fork at the worst moment."""

from __future__ import annotations

from collections import Counter

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from tests.application import run
from tests.end_to_end.fleet import assert_one_writer_each, instances, total

FORK_DURING_EXPORT = """
import os, sys, threading, time
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.lifecycle.controller import Controller

class Exporter(PrometheusRemoteWriteMetricsExporter):
    under_way = threading.Event()
    def export(self, *arguments, **keywords):
        self.under_way.set()
        return super().export(*arguments, **keywords)

exporter = Exporter(endpoint=sys.argv[2], shutdown_timeout=60_000)
make = {"ours": Controller, "the SDK's": PeriodicExportingMetricReader}[sys.argv[1]]
reader = make(exporter, export_interval_millis=200)
resource = Resource.create({"service.name": "shop"})
metrics.set_meter_provider(MeterProvider([reader], resource=resource))
meter = metrics.get_meter("tests")
work = meter.create_counter("work")
meter.create_observable_gauge("writer", callbacks=[lambda _: [metrics.Observation(os.getpid())]])
work.add(5)
exporter.under_way.wait()
# The receiver takes its time to answer the first request.
while not (exporter._data_path and exporter._data_path.transport._under_way):
    time.sleep(0.001)
child = os.fork()
if child == 0:
    exporter.under_way.clear()
    work.add(1)
    if not exporter.under_way.wait(60):
        os._exit(3)
    work.add(1)
    sys.exit()
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.parametrize("controller", ["ours", "the SDK's"])
def test_a_child_that_is_forked_during_an_export_exports(tmp_path, controller):
    with Receiver(answers=[ScriptedAnswer(delay=2)]) as receiver:
        # From 3.12 on Python warns of forks beside threads.
        variables = {"TMPDIR": str(tmp_path), "PYTHONWARNINGS": "ignore::DeprecationWarning"}
        ended = run("python", "-c", FORK_DURING_EXPORT, controller, receiver.url, cwd=tmp_path, **variables)
    assert (ended.status, ended.errors) == (0, [])
    assert total(receiver, "work_total") == 7
    first, second = sorted(instances(receiver, "work_total"), key=len)
    assert second == f"{first}-1"
    assert_one_writer_each(receiver)


WORKERS = 200
START_TOGETHER = """
import os, sys, threading, time
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.lifecycle.controller import Controller

began, ended = time.monotonic(), threading.Event()

class Exporter(PrometheusRemoteWriteMetricsExporter):
    def export(self, *arguments, **keywords):
        os.write(1, f"{time.monotonic() - began:.3f}\\n".encode())
        accepted = super().export(*arguments, **keywords) is MetricExportResult.SUCCESS
        if accepted and arguments[0].resource_metrics[0].scope_metrics:  # else it came before there was work
            ended.set()

provider = MeterProvider(
    [Controller(Exporter(endpoint=sys.argv[1], disable_os_exit_flush=True), int(sys.argv[2]) * 1000)],
    resource=Resource.create({"service.name": "shop", "service.instance.id": "pod-7"}),
)
work = provider.get_meter("tests").create_counter("work")
for _ in range(int(sys.argv[3])):
    if not os.fork():
        began = time.monotonic()
        ended.clear()  # the parent may have exported meanwhile
        work.add(1)
        os._exit(0 if ended.wait(60) else 1)
failed = 0
for _ in range(int(sys.argv[3])):
    failed += os.wait()[1] != 0
os._exit(failed)
"""


def test_workers_that_start_together_do_not_push_together(receiver, tmp_path):
    """Real processes, and so the real random numbers of forked ones; without jitter all would push at the interval."""
    interval = 4
    command = ("python", "-c", START_TOGETHER, receiver.url, str(interval), str(WORKERS))
    ended = run(*command, cwd=tmp_path, TMPDIR=str(tmp_path), PYTHONWARNINGS="ignore::DeprecationWarning")
    assert ended.status == 0, ended.errors
    assert total(receiver, "work_total") == WORKERS
    in_second = Counter(int(float(line)) for line in ended.output.split())
    assert all(in_second[second] >= WORKERS / interval / 3 for second in range(interval)), in_second
    assert max(in_second.values()) <= 2 * WORKERS / interval, in_second


MODULES_OF_AN_EXPORT = """
import json, math, sys
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.lifecycle.controller import Controller

reader = Controller(PrometheusRemoteWriteMetricsExporter(endpoint=sys.argv[1]), math.inf)
meter = MeterProvider([reader], resource=Resource.create({"service.instance.id": "pod-7"})).get_meter("tests")
meter.create_counter("work").add(1)
meter.create_histogram("duration").record(1)
reader._pusher.prepare(lambda _: False)
before = set(sys.modules)
reader.force_flush()
print(json.dumps(sorted(set(sys.modules) - before - {"hashlib", "_hashlib", "_blake2"})))
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_export_imports_nothing_but_what_forks_wait_for(receiver, tmp_path, host):
    """A child that is forked in the middle of an import inherits the lock of the module, and never gets it."""
    url = receiver.url.replace("127.0.0.1", host)
    ended = run("python", "-c", MODULES_OF_AN_EXPORT, url, cwd=tmp_path, TMPDIR=str(tmp_path))
    assert ended == (0, "[]\n", [])
    assert total(receiver, "work_total") == 1


FORK_DURING_IMPORTS = """
import os, sys, threading
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.lifecycle import late_imports
from opentelemetry.exporter.prometheus_remote_write.lifecycle.controller import Controller

reader = Controller(PrometheusRemoteWriteMetricsExporter(endpoint=sys.argv[1]), 3_600_000)
provider = MeterProvider([reader], resource=Resource.create({"service.name": "shop", "service.instance.id": "pod-7"}))
work = provider.get_meter("tests").create_counter("work")
work.add(1)
late_imports._imports.are_expected = False  # as where it takes too long
late_imports._forks._seconds = 60  # however busy the machine is
imports = threading.Thread(target=reader._pusher.prepare, args=(lambda _: False,))
imports.start()
children = []
while imports.is_alive():
    if child := os.fork():
        children.append(child)
        imports.join(0.02)
    else:
        work.add(1)
        provider.force_flush()
        os._exit(0)
for child in children:
    os.waitpid(child, 0)
provider.shutdown()
print(1 + len(children), flush=True)
os._exit(0)
"""


def test_children_that_are_forked_while_the_first_export_is_imported_export(receiver, tmp_path):
    variables = {"TMPDIR": str(tmp_path), "PYTHONWARNINGS": "ignore::DeprecationWarning"}
    ended = run("python", "-c", FORK_DURING_IMPORTS, receiver.url, cwd=tmp_path, **variables)
    assert (ended.status, ended.errors) == (0, [])
    assert total(receiver, "work_total") == int(ended.output) > 2
