"""Who is chosen, and where metrics go, by what is installed, what is set and how an application is started.

The page also has the table of tests/end_to_end/hosts.

`python -m tests.combinations`, or `make combinations`, measures it anew and writes docs/reference/combinations.md.
"""

from __future__ import annotations

import itertools
import json
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.application import LAUNCHER, run
from tests.end_to_end import installations
from tests.end_to_end.hosts import HOSTS
from tests.end_to_end.hosts.table import measured, table

PAGE = installations.CHECKOUT / "docs" / "reference" / "combinations.md"
OURS = "prometheus_remote_write"
INSTALLED = {
    "alone": "this package",
    "stock first": "also `opentelemetry-distro`, found first",
    "ours first": "also `opentelemetry-distro`, found second",
}
STARTED = {
    "launcher": "`opentelemetry-instrument`",
    "injection": "`PYTHONPATH`, as the Operator does",
    "code": "`auto_instrumentation.initialize()`",
}
VARIABLES = {
    "": "nothing",
    "OTEL_PYTHON_DISTRO": f"`OTEL_PYTHON_DISTRO={OURS}`",
    "OTEL_METRICS_EXPORTER": f"`OTEL_METRICS_EXPORTER={OURS}`",
    "OTEL_PYTHON_CONFIGURATOR": f"`OTEL_PYTHON_CONFIGURATOR={OURS}`",
    "OTEL_CONFIG_FILE": "`OTEL_CONFIG_FILE`, which names the exporter",
}
CONFIGURATION = f"""\
file_format: "1.0"
meter_provider:
  readers:
    - periodic:
        exporter:
          {OURS}:
"""
INITIALIZE = "from opentelemetry.instrumentation import auto_instrumentation\nauto_instrumentation.initialize()\n"
APPLICATION = """
import json
from importlib.metadata import entry_points
from opentelemetry import metrics

metrics.get_meter("shop").create_counter("orders").add(1)

def used(group):
    # Each of them is a singleton, which its class knows once it is made.
    return [point.name for point in entry_points(group=group) if vars(point.load()).get("_instance")]

print(json.dumps([used("opentelemetry_distro"), used("opentelemetry_configurator")]))
"""


class Case(NamedTuple):
    """One combination: keys of INSTALLED, VARIABLES and STARTED."""

    installed: str
    variable: str
    started: str


class Outcome(NamedTuple):
    """What became of it: the names of distro and configurator, whether metrics arrived, and what stderr said."""

    distro: str
    configurator: str
    arrived: bool
    said: tuple[str, ...]


CASES = [Case(*each) for each in itertools.product(INSTALLED, VARIABLES, STARTED)]


def measure(ours: Path, folder: Path) -> dict[Case, Outcome]:
    """Run a process for each case, two at a time.

    Args:
        ours: The folder with our package alone.
        folder: Where to write the application and the other distro.
    """
    stock = installations.stock_distro(folder / "stock")
    python = {
        False: installations.plain_python(ours),
        True: installations.plain_python(ours, "opentelemetry-sdk[file-configuration]"),
    }
    (folder / "otel.yaml").write_text(CONFIGURATION)
    (folder / "app.py").write_text(APPLICATION)
    (folder / "initializing.py").write_text(INITIALIZE + APPLICATION)

    folders = {"alone": [ours], "stock first": [stock, ours], "ours first": [ours, stock]}

    def outcome(case: Case) -> Outcome:
        from_file = case.variable == "OTEL_CONFIG_FILE"
        interpreter = python[from_file]
        path = [*map(str, folders[case.installed])]
        if case.started == "injection":
            (purelib,) = interpreter.parents[1].glob("lib/python*/site-packages")
            path.insert(0, str(purelib / "opentelemetry" / "instrumentation" / "auto_instrumentation"))
        value = str(folder / "otel.yaml") if from_file else OURS
        with Receiver() as receiver:
            ended = run(
                *([LAUNCHER] if case.started == "launcher" else []),
                "python",
                folder / ("initializing.py" if case.started == "code" else "app.py"),
                cwd=folder,
                python=interpreter,
                PYTHONPATH=":".join(path),
                OTEL_EXPORTER_PRW_ENDPOINT=receiver.url,
                **({case.variable: value} if case.variable else {}),
            )
            if ended.status or receiver.rejected:
                raise RuntimeError(f"{case}: {ended}, {receiver.rejected}")
            distros, configurators = json.loads(ended.output)
            arrived = [each.samples[-1].value for each in receiver.series("orders_total")] == [1]
        return Outcome(_only(distros), _only(configurators), arrived, _said(ended.errors))

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(CASES, pool.map(outcome, CASES), strict=True))


def page(outcomes: dict[Case, Outcome]) -> str:
    """The measured combinations as the first part of a page of markdown."""
    return _PAGE.format(table="\n".join(_rows(outcomes)), least="\n".join(_least(outcomes)))


def _rows(outcomes: dict[Case, Outcome]) -> list[str]:
    rows = []
    for installed, variable in itertools.product(INSTALLED, VARIABLES):
        of_starts = {started: outcomes[Case(installed, variable, started)] for started in STARTED}
        for outcome in dict.fromkeys(of_starts.values()):
            alike = [STARTED[started] for started, each in of_starts.items() if each == outcome]
            starts = "any" if len(alike) == len(STARTED) else ", ".join(alike)
            cells = (
                INSTALLED[installed],
                VARIABLES[variable],
                starts,
                f"`{outcome.distro}`",
                f"`{outcome.configurator}`",
                "arrive" if outcome.arrived else "**do not arrive**",
                " ".join(f"`{line}`" for line in outcome.said) or "nothing",
            )
            rows.append(f"| {' | '.join(cells)} |")
    return rows


def _least(outcomes: dict[Case, Outcome]) -> list[str]:
    """What has to be set, with which metrics arrive however the application is started."""
    lines = []
    for installed, what in INSTALLED.items():
        enough = [
            VARIABLES[variable]
            for variable in VARIABLES
            if all(outcomes[Case(installed, variable, started)].arrived for started in STARTED)
        ]
        needed = "nothing more" if enough[:1] == [VARIABLES[""]] else ", or ".join(enough)
        lines.append(f"- {what}: {needed}")
    return lines


def _only(names: list[str]) -> str:
    if not names:
        return "none"
    (name,) = names
    return name


def _said(errors: list[str]) -> tuple[str, ...]:
    """Lines that are a message, once each: no frames of tracebacks, and of chained exceptions only the last one."""
    last = "\n".join(errors).replace("\n\nDuring handling of the above exception, another exception occurred:\n", "\0")
    last = re.sub(r"\n[^ \n].*\0", "", last)
    messages = [line for line in last.splitlines() if line and not line.startswith((" ", "Traceback"))]
    return tuple(dict.fromkeys(messages))


_PAGE = """\
# Distros and hosts

OpenTelemetry's launcher uses one distro and one configurator. If several are installed, it uses those whose folder
is found first, unless a variable names them. Each row of the first table was measured in separate processes, with
`OTEL_EXPORTER_PRW_ENDPOINT` and the row's variable set. `make combinations` measures again; a test compares.

To make metrics arrive however the application is started, set beside the endpoint:

{least}

`prometheus_remote_write` is our distro or configurator; `distro` and `configurator` are those of
`opentelemetry-distro`, which asks for OTLP over gRPC, not installed here. `OTEL_CONFIG_FILE` needs
`opentelemetry-sdk[file-configuration]`.

| installed | set | started by | distro | configurator | metrics | stderr says |
| --- | --- | --- | --- | --- | --- | --- |
{table}

"""
_HOSTS = """\
## Hosts

Each row was measured with the real program under the launcher, with `OTEL_EXPORTER_PRW_ENDPOINT` set and one instance
id for the whole container, as the Operator sets it. Every increment was also appended to a file; counts are exact if
each increment arrives exactly once in the sum over all instances. Servers and workers are ended by SIGTERM to their
first process; the exit time is measured until the last of their processes is gone, on two busy cores. Nothing was
refused, no instance was written by two processes at a time, and the exporter made no program print a traceback.

Two hosts were tested once by hand, because they take minutes to install or differ from run to run: mod_wsgi
(`mod_wsgi-express`, two processes) and Celery's eventlet pool. Counts are exact, and the last interval arrives; the
exit takes 3.1 s and 5.6 s. gunicorn no longer has an eventlet worker.

Also tested once by hand, on 3.11, each with exact counts and its last interval: aiohttp, Celery with `--beat` and
with `--autoscale`, circus, daphne, granian (single- and multi-threaded, uvloop, `--reload`, SIGHUP), gunicorn with
`--reload`, hypercorn with trio and uvloop, `multiprocessing.Manager`, nox, pdb, pytest-xdist, Sanic, supervisord,
tornado, twistd, uvicorn at SIGTTIN and SIGTTOU, and uWSGI's Emperor. Ray's workers deliver each whole interval; the
last one is lost, because Ray ends them without Python's exit: call `metrics.get_meter_provider().force_flush()` at
the end of a task.

"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        ours = installations.package(Path(folder))
        chosen = page(measure(ours, Path(folder)))
        PAGE.write_text(f"{chosen}{_HOSTS}{table(measured(HOSTS))}", encoding="utf-8")


if __name__ == "__main__":
    main()
