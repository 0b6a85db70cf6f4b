"""Hundreds of threads that count while metrics are exported, on every kind of build: with the GIL and without it."""

from __future__ import annotations

import pytest

from tests.application import LAUNCHER, run
from tests.end_to_end import installations, interpreters
from tests.end_to_end.fleet import total

THREADS, TIMES = 300, 200
COUNTS = f"""
import sys, threading
from opentelemetry import metrics

sys.setswitchinterval(1e-5)  # seconds; where there is a GIL, threads take turns often
meter = metrics.get_meter("shop")
orders, baskets = meter.create_counter("orders"), meter.create_up_down_counter("baskets")
latency = meter.create_histogram("latency")
begin = threading.Barrier({THREADS})

def work(number):
    begin.wait()
    for _ in range({TIMES}):
        orders.add(1, {{"by": "all"}})
        orders.add(1, {{"by": str(number)}})  # a new series in the midst of exports
        baskets.add(1)
        latency.record(0.25)

threads = [threading.Thread(target=work, args=[number]) for number in range({THREADS})]
for thread in threads:
    thread.start()
while any(thread.is_alive() for thread in threads):
    metrics.get_meter_provider().force_flush()
    threads[-1].join(0.05)  # seconds; and beside that an export in each interval
print(getattr(sys, "_is_gil_enabled", lambda: True)())
"""
SETTINGS = {"OTEL_EXPORTER_PRW_INTERVAL": "1000", "OTEL_SERVICE_NAME": "shop"}


def assert_every_increment_arrived_once(receiver):
    assert receiver.rejected == []
    assert total(receiver, "orders_total", by="all") == THREADS * TIMES
    assert [total(receiver, "orders_total", by=str(number)) for number in range(THREADS)] == [TIMES] * THREADS
    assert total(receiver, "baskets") == THREADS * TIMES
    assert total(receiver, "latency_count") == total(receiver, "latency_bucket", le="+Inf") == THREADS * TIMES
    assert total(receiver, "latency_sum") == THREADS * TIMES / 4


def test_what_hundreds_of_threads_count_arrives_exactly_once(receiver, fully):
    ended = fully(COUNTS, OTEL_EXPORTER_PRW_ENDPOINT=receiver.url, **SETTINGS)
    assert (ended.status, ended.errors) == (0, [])
    assert_every_increment_arrived_once(receiver)


@pytest.mark.skipif(not interpreters.free_threaded(), reason="this machine has no free-threaded build of Python")
@pytest.mark.parametrize("version", sorted(interpreters.free_threaded()) or ["3.13t or later"])
def test_without_the_gil_what_hundreds_of_threads_count_arrives_exactly_once(version, receiver, ours, tmp_path):
    (tmp_path / "app.py").write_text(COUNTS)
    python = installations.free_threaded_python(interpreters.free_threaded()[version], ours)
    variables = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url, "PYTHONPATH": str(ours), **SETTINGS}
    ended = run(LAUNCHER, "python", tmp_path / "app.py", cwd=tmp_path, python=python, **variables)
    assert (ended.status, ended.output) == (0, "False\n")  # nor does any package that we need switch the GIL on
    assert [line for line in ended.errors if not line.startswith("python-snappy cannot be imported")] == []
    assert_every_increment_arrived_once(receiver)
