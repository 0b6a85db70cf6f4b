"""Run a job, and push how it ended: exit code, duration, start, end, and when it last succeeded.

The job may be any program; a Python program is instrumented as by `run`, and pushes what it measures itself at its end.
However the job ends, by SIGKILL or for want of memory, too, that is pushed. The exit status is the job's in any case.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from opentelemetry.sdk.metrics.export import (
    Gauge,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import variable
from opentelemetry.exporter.prometheus_remote_write.exporter import PrometheusRemoteWriteMetricsExporter
from opentelemetry_prometheus_remote_write import program
from opentelemetry_prometheus_remote_write.command_line import seconds

EXAMPLE = "otel-prw job --name nightly-import --endpoint http://localhost:9090/api/v1/write -- python import.py"
EXIT_STATUSES = "the job's own, 128 and the signal where one ended it; 2 where a flag is wrong, 126 and 127 as of `run`"

_SERVICE_NAME = "service.name"
_PASSED_ON = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
_BY_SIGNAL = 128  # and the signal's number: an exit status as a shell has it
_KIBIBYTE = 1024


class Ending(NamedTuple):
    """How a job ended.

    Args:
        status: Its exit status, as a shell has it.
        began: When it began, in seconds since the epoch.
        ended: When it ended.
        cpu: Seconds of processor time of it and its children.
        memory: The most memory that one of them had, in bytes.
    """

    status: int
    began: float
    ended: float
    cpu: float
    memory: int


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the subcommand's arguments."""
    parser.add_argument("--name", help="its name, the label job; by default OTEL_SERVICE_NAME, else the program's name")
    parser.add_argument(
        "--push-timeout", type=seconds, default=30.0, metavar="30s", help="for how long to try to push how it ended"
    )
    program.add_arguments(parser)


def run(arguments: Namespace) -> int:
    """Run the job to its end, and push how it ended.

    Args:
        arguments: ``name``, ``push_timeout``, the settings by name, and ``program``.

    Returns:
        The job's exit status.
    """
    words = program.command(arguments)
    given = {**os.environ, **program.given_settings(arguments)}
    name = arguments.name or given.get("OTEL_SERVICE_NAME", "").strip() or Path(words[0]).name
    environ = {**given, **program.instrumentation(given, program.working_folder()), "OTEL_SERVICE_NAME": name}
    environ.setdefault(variable("interval"), "0")
    began = time.time()
    path = program.executable(words[0], environ)
    status = path if isinstance(path, int) else _wait(path, words, environ)
    ending = Ending(status, began, time.time(), *_usage())
    os.environ.update(program.given_settings(arguments))
    _push(ending, name, arguments)
    return status


def _wait(path: str, words: list[str], environ: Mapping[str, str]) -> int:
    """Run a program to its end, and pass on the signals that come meanwhile."""
    try:
        process = subprocess.Popen(words, executable=path, env=dict(environ))  # noqa: S603 - what the user asks for
    except OSError as error:
        sys.stderr.write(f"otel-prw job: {words[0]} cannot be executed: {error.strerror}\n")
        return program.NOT_EXECUTABLE
    with _signals_passed_on(process):
        status = process.wait()
    return status if status >= 0 else _BY_SIGNAL - status


@contextmanager
def _signals_passed_on(process: subprocess.Popen[bytes]) -> Iterator[None]:
    def pass_on(number: int, _frame: FrameType | None) -> None:
        process.send_signal(number)

    def ignore(_number: int, _frame: FrameType | None) -> None:
        """Leave Ctrl-C to the job, which the terminal tells of it, too."""

    at_terminal = sys.stdin is not None and sys.stdin.isatty()
    handlers = {name: pass_on for name in _PASSED_ON if hasattr(signal, name)}
    before = {name: signal.signal(getattr(signal, name), handler) for name, handler in handlers.items()}
    before["SIGINT"] = signal.signal(signal.SIGINT, ignore if at_terminal else pass_on)
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _usage() -> tuple[float, int]:
    """Return the seconds of processor time and the bytes of memory that the children of this process have used."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return 0.0, 0
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    unit = 1 if sys.platform == "darwin" else _KIBIBYTE
    return used.ru_utime + used.ru_stime, used.ru_maxrss * unit


def _push(ending: Ending, name: str, arguments: Namespace) -> None:
    """Push how a job ended, and say so where that fails; nothing is raised, for the exit status is the job's."""
    logging.getLogger().addHandler(logging.StreamHandler())
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the job is over: what ends now is the push
    lost = f"otel-prw job: how {name} ended (exit code {ending.status}) was not pushed"
    try:
        # No instance, no scope, nothing that begins or ends: one job is one set of series, run after run.
        exporter = PrometheusRemoteWriteMetricsExporter(
            disable_scope_labels=True,
            disable_target_info=True,
            stale_markers=False,
            interval=round(2000 * arguments.push_timeout) or 1,
        )
        attributes = {**OTELResourceDetector().detect().attributes, _SERVICE_NAME: name}
        data = metrics_data(ending, attributes)
        accepted = exporter.export(data, timeout_millis=1000 * arguments.push_timeout) is MetricExportResult.SUCCESS
        exporter.shutdown()
    except KeyboardInterrupt:
        sys.stderr.write(f"{lost}: interrupted\n")
    except Exception as error:  # noqa: BLE001 - a wrong setting must not change the exit status
        sys.stderr.write(f"{lost}, and is lost: {error if isinstance(error, ValueError) else type(error).__name__}\n")
    else:
        if not accepted and (folder := exporter.settings.buffer_directory):
            sys.stderr.write(f"{lost}: it is lost unless the lines above say that it is kept in {folder}\n")
        elif not accepted:
            sys.stderr.write(f"{lost}, and is lost\n")


def metrics_data(ending: Ending, attributes: Mapping[str, object]) -> MetricsData:
    """Return what is pushed of a job that has ended, for the resource of these attributes."""
    values = [
        ("job.last_exit_code", "", "The exit code of the last run.", float(ending.status)),
        ("job.last_duration", "s", "How long the last run took.", ending.ended - ending.began),
        ("job.last_start_timestamp", "s", "When the last run began, since the epoch.", ending.began),
        ("job.last_end_timestamp", "s", "When the last run ended, since the epoch.", ending.ended),
        ("job.last_cpu_time", "s", "Processor time of the last run.", ending.cpu),
        ("job.last_max_memory", "By", "The most memory that a process of the last run had.", float(ending.memory)),
    ]
    if ending.status == 0:
        values.append(("job.last_success_timestamp", "s", "When a run last succeeded, since the epoch.", ending.ended))
    moment = round(ending.ended * 1e9)
    metrics = [
        Metric(name, help_, unit, Gauge([NumberDataPoint({}, moment, moment, value)]))
        for name, unit, help_, value in values
    ]
    scope = ScopeMetrics(InstrumentationScope("opentelemetry_prometheus_remote_write.job"), metrics, "")
    return MetricsData([ResourceMetrics(Resource(dict(attributes)), [scope], "")])  # type: ignore[arg-type]  # texts
