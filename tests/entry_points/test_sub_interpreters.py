"""Sub-interpreters as Python makes them, which allow no daemon threads: metrics are lost, and one line each says so."""

from __future__ import annotations

import sys

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.application import LAUNCHER, run

SHOP = '''
from opentelemetry import metrics
metrics.get_meter("shop").create_counter("sold").add(3)
SALE = """
from opentelemetry import metrics, trace
with trace.get_tracer("shop").start_as_current_span("sale"):
    metrics.get_meter("shop").create_counter("sold").add(1)
print("sold")
"""
import _interpreters
made = _interpreters.create()
failed = _interpreters.exec(made, SALE)
assert not failed, failed
_interpreters.destroy(made)
'''
POOL = """
from concurrent.futures import InterpreterPoolExecutor
from opentelemetry import metrics
def sell(number):
    from opentelemetry import metrics, trace
    with trace.get_tracer("shop").start_as_current_span("sale"):
        metrics.get_meter("shop").create_counter("sold").add(number)
if __name__ == "__main__":
    metrics.get_meter("shop").create_counter("sold").add(3)
    with InterpreterPoolExecutor(1) as pool:
        list(pool.map(sell, [1, 2]))
    print("sold")
"""
SHOPS = [
    pytest.param(
        SHOP,
        id="one of its own",
        marks=pytest.mark.skipif(sys.version_info < (3, 13), reason="until 3.12 the SDK itself cannot run in them"),
    ),
    pytest.param(
        POOL,
        id="a pool of them",
        marks=pytest.mark.skipif(sys.version_info < (3, 14), reason="InterpreterPoolExecutor is there from 3.14 on"),
    ),
]


EXPORTERS = [
    pytest.param("none", "Metrics are not collected in this sub-interpreter", id="metrics alone"),
    pytest.param(
        "console", "Nothing is exported from this sub-interpreter", id="traces, too, whose processor needs one"
    ),
]


@pytest.mark.parametrize(("traces", "line"), EXPORTERS)
@pytest.mark.parametrize("source", SHOPS)
def test_the_application_goes_on_and_its_main_interpreter_pushes(tmp_path, source, traces, line):
    script = tmp_path / "shop.py"
    script.write_text(source)
    with Receiver() as receiver:
        ended = run(
            *(LAUNCHER, "python", script),
            cwd=tmp_path,
            OTEL_SERVICE_NAME="shop",
            OTEL_PYTHON_DISTRO="prometheus_remote_write",
            OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="system_metrics",
            OTEL_TRACES_EXPORTER=traces,
            OTEL_EXPORTER_PRW_ENDPOINT=receiver.url,
        )
        assert (ended.status, receiver.rejected) == (0, [])
        assert receiver.values("sold_total")[-1] == 3
    (said,) = ended.errors
    assert said.startswith(f"{line}: Python allows no daemon threads in it")
    assert "sold" in ended.output
