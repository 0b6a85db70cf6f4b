"""What an application pays at its start, and where it ends before its first export, at its end."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

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
_PYTHON = "python"
_BARE = "bare launcher"
_OF_BARE = "a launcher that exports nothing"
_MORE = 1.03
_ONLY_STARTS = "import os; os._exit(0)"
_ENDS = ""
_TELLS_USAGE = """
import os, resource
used = resource.getrusage(resource.RUSAGE_SELF)
with open("/proc/self/statm") as sizes:
    pages = int(sizes.read().split()[1])
print(used.ru_utime + used.ru_stime, pages * resource.getpagesize(), flush=True)
os._exit(0)
"""
_COUNTS = """
import time
from opentelemetry import metrics
metrics.get_meter("tool").create_counter("runs").add(1)
time.sleep(0.05)
print(time.time(), flush=True)
"""
_LONGER_EXIT = 0.15  # seconds
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
        ("start under the launcher", _ONLY_STARTS, _MORE),
        ("start and end under the launcher", _ENDS, None),
    ):
        runs = _runs(pythons, effort, program)
        seconds = {name: median(run.seconds for run in each) for name, each in runs.items()}
        yield Row(figure, seconds[OURS_1], "s", seconds[_BARE], _OF_BARE, most)
        if OTLP in seconds:
            yield Row(figure, seconds[OURS_1], "s", seconds[OTLP], "OTLP", 1.0)
        yield Row(figure, seconds[OURS_1], "s", seconds[_PYTHON], "python alone")
    yield from _usage(_runs(pythons, effort, _TELLS_USAGE))
    yield from _exits(_runs(pythons, effort, _COUNTS))
    listed = subprocess.run(
        [pythons[OURS_1], "-c", _LIST_IMPORTED], cwd=CHECKOUT, env=environment(), check=True, capture_output=True
    )
    imported = json.loads(listed.stdout)
    yield Row("imported in every process", len(imported), f"of {' and '.join(_HEAVY)}", 0, "allowed", 0.0)


class _Run(NamedTuple):
    """How long a process took in seconds, when it ended since the epoch, and the numbers that it printed."""

    seconds: float
    ended: float
    said: list[float]


def _usage(runs: Mapping[str, Sequence[_Run]]) -> Iterator[Row]:
    cpu = {name: median(run.said[0] for run in each) for name, each in runs.items()}
    resident = {name: median(run.said[1] for run in each) for name, each in runs.items()}
    for figure, by_name, unit in (("CPU of a start", cpu, "s"), ("resident after a start", resident, "B")):
        yield Row(figure, by_name[OURS_1], unit, by_name[_BARE], _OF_BARE, _MORE)
        if OTLP in by_name:
            yield Row(figure, by_name[OURS_1], unit, by_name[OTLP], OTLP)


def _exits(runs: Mapping[str, Sequence[_Run]]) -> Iterator[Row]:
    seconds = {name: median(run.ended - run.said[0] for run in each) for name, each in runs.items()}
    figure = "exit of a tool that has counted"
    allowed = seconds[_BARE] + _LONGER_EXIT
    yield Row(figure, seconds[OURS_1], "s", allowed, f"{_OF_BARE}, and {_LONGER_EXIT * 1000:.0f} ms", 1.0)
    yield Row(figure, seconds[OURS_1], "s", seconds[_BARE], _OF_BARE)
    if OTLP in seconds:
        yield Row(figure, seconds[OURS_1], "s", seconds[OTLP], OTLP)


def _runs(pythons: Mapping[str, str], effort: Effort, program: str) -> dict[str, list[_Run]]:
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
            _PYTHON: ([pythons[OURS_1]], {}),
            _BARE: ([_launcher(pythons[OURS_1]), pythons[OURS_1]], distro | {"OTEL_METRICS_EXPORTER": "none"}),
            OURS_1: ([_launcher(pythons[OURS_1]), pythons[OURS_1]], ours | distro),
        }
        if OTLP in pythons:
            starts[OTLP] = ([_launcher(pythons[OTLP]), pythons[OTLP]], otlp)
        runs: dict[str, list[_Run]] = {name: [] for name in starts}
        for number in range(-1, effort.starts):
            for name, (command, settings) in starts.items():
                started = time.perf_counter()
                process = subprocess.run(
                    [*command, "-c", program],
                    env=environment(**_METRICS_ONLY, **settings),
                    check=True,
                    capture_output=True,
                    text=True,
                )
                ended, now = time.perf_counter(), time.time()
                if process.stderr:  # whoever could not load his exporter was quick
                    raise RuntimeError(f"{name} did not start well: {process.stderr}")
                if number >= 0:
                    runs[name].append(_Run(ended - started, now, [float(word) for word in process.stdout.split()]))
    return runs


def _launcher(python: str) -> str:
    return str(Path(python).with_name("opentelemetry-instrument"))
