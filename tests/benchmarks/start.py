"""What an application pays at its start, and where it ends before its first export, at its end."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

from tests.benchmarks.answering import Answering
from tests.benchmarks.effort import Effort
from tests.benchmarks.exporters import OTLP, OURS_1
from tests.benchmarks.interpreter import CHECKOUT, Interpreter, environment
from tests.benchmarks.table import Row

_METRICS_ONLY = {"OTEL_TRACES_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
_IN_EVERY_PROCESS = (
    "opentelemetry_prometheus_remote_write.distro",
    "opentelemetry_prometheus_remote_write.configurator",
    "opentelemetry.exporter.prometheus_remote_write.environment_variables",
)
_BARE = "bare launcher"
_ONLY_STARTS = "import os; os._exit(0)"
_ENDS = ""
_HEAVY = ("urllib3", "google.protobuf")
_LIST_IMPORTED = f"""
import json, sys, {", ".join(_IN_EVERY_PROCESS)}
print(json.dumps([name for name in {_HEAVY} if name in sys.modules]))
"""


def rows(pythons: Mapping[str, str], effort: Effort) -> Iterator[Row]:
    """Measure the rows of starting.

    Args:
        pythons: The interpreters of the exporters that take part.
        effort: How much.
    """
    for figure, program, most in (
        ("start under the launcher", _ONLY_STARTS, 1.03),
        ("start and end under the launcher", _ENDS, None),
    ):
        seconds = _runs(pythons, effort, program)
        yield Row(figure, seconds[OURS_1], "s", seconds[_BARE], "a launcher that exports nothing", most)
        if OTLP in seconds:
            yield Row(figure, seconds[OURS_1], "s", seconds[OTLP], "OTLP", 1.0)
        yield Row(figure, seconds[OURS_1], "s", seconds["python"], "python alone")
    listed = subprocess.run(
        [pythons[OURS_1], "-c", _LIST_IMPORTED], cwd=CHECKOUT, env=environment(), check=True, capture_output=True
    )
    imported = json.loads(listed.stdout)
    yield Row("imported in every process", len(imported), f"of {' and '.join(_HEAVY)}", 0, "allowed", 0.0)


def _runs(pythons: Mapping[str, str], effort: Effort, program: str) -> dict[str, float]:
    with Interpreter(pythons[OURS_1], Answering) as receiver:
        url = receiver.call("url")
        ours = {"OTEL_METRICS_EXPORTER": "prometheus_remote_write", "OTEL_EXPORTER_PRW_ENDPOINT": f"{url}/api/v1/write"}
        otlp = {
            "OTEL_METRICS_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        }
        distro = {
            "OTEL_PYTHON_DISTRO": "prometheus_remote_write",
            "OTEL_PYTHON_CONFIGURATOR": "prometheus_remote_write",
        }
        starts = {
            "python": ([pythons[OURS_1]], {}),
            _BARE: ([_launcher(pythons[OURS_1]), pythons[OURS_1]], distro | {"OTEL_METRICS_EXPORTER": "none"}),
            OURS_1: ([_launcher(pythons[OURS_1]), pythons[OURS_1]], ours | distro),
        }
        if OTLP in pythons:
            starts[OTLP] = ([_launcher(pythons[OTLP]), pythons[OTLP]], otlp)
        seconds: dict[str, list[float]] = {name: [] for name in starts}
        for number in range(-1, effort.starts):
            for name, (command, settings) in starts.items():
                started = time.perf_counter()
                process = subprocess.run(
                    [*command, "-c", program],
                    env=environment(**_METRICS_ONLY, **settings),
                    check=True,
                    stderr=subprocess.PIPE,
                    text=True,
                )
                ended = time.perf_counter()
                if process.stderr:  # whoever could not load his exporter was quick
                    raise RuntimeError(f"{name} did not start well: {process.stderr}")
                if number >= 0:
                    seconds[name].append(ended - started)
    return {name: median(each) for name, each in seconds.items()}


def _launcher(python: str) -> str:
    return str(Path(python).with_name("opentelemetry-instrument"))
