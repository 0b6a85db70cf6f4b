"""Run a job, and push how it ended: exit code, duration, start, end, and when it last succeeded.

The job can be any program. A Python program is instrumented as by `run`, and pushes its own metrics when it ends. The
result is pushed however the job ends, even by SIGKILL or the out-of-memory killer. The exit status is always the job's.
"""

from __future__ import annotations

import logging
import os
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
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
from opentelemetry_prometheus_remote_write import job_command, program
from opentelemetry_prometheus_remote_write.command_line import seconds
from opentelemetry_prometheus_remote_write.other_python import warn_if_lacking
from opentelemetry_prometheus_remote_write.output import complain

EXAMPLE = "otel-prw job --name nightly-import --endpoint http://localhost:9090/api/v1/write -- python import.py"
EXIT_STATUSES = "the job's own, or 128 plus the signal that ended it; 2 for a wrong flag, 126 and 127 as for `run`"

_TO_CUT_SHORT = 5000  # milliseconds for a push that is interrupted to end
_SERVICE_NAME, _INSTANCE_ID = "service.name", "service.instance.id"


class Ending(NamedTuple):
    """How a job ended.

    Args:
        result: What the system reports about it.
        began: When it began, in seconds since the epoch.
        ended: When it ended.
    """

    result: job_command.Result
    began: float
    ended: float


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the subcommand's arguments."""
    parser.add_argument("--name", help="the label job; default: OTEL_SERVICE_NAME, else the program's name")
    parser.add_argument(
        "--push-timeout", type=seconds, default=30.0, metavar="30s", help="how long to keep trying to push the result"
    )
    program.add_arguments(parser)


def run(arguments: Namespace) -> int:
    """Run the job and push how it ended.

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
    mask = job_command.block_signals()
    began = time.time()
    result = _result(words, environ, mask)
    ending = Ending(result, began, max(time.time(), began))
    os.environ.update(program.given_settings(arguments))
    _push(ending, name, arguments, mask)
    return result.status


def _result(words: list[str], environ: Mapping[str, str], mask: job_command.Mask) -> job_command.Result:
    path = program.executable(words[0], environ)
    if isinstance(path, int):
        return job_command.Result(path)
    warn_if_lacking("job", path, environ)
    try:
        return job_command.run(path, words, environ, mask)
    except OSError as error:
        complain(f"otel-prw job: {words[0]} cannot be executed: {error.strerror}\n")
        return job_command.Result(program.NOT_EXECUTABLE)


def _push(ending: Ending, name: str, arguments: Namespace, mask: job_command.Mask) -> None:
    """Push how a job ended and report a failure; never raise, because the exit status is the job's."""
    logging.getLogger().addHandler(logging.StreamHandler())
    lost = f"otel-prw job: the result of {name} (exit code {ending.result.status}) was not pushed"
    try:
        # No instance or scope labels, no zero samples, no stale markers: one job is one set of series, run after run.
        exporter = PrometheusRemoteWriteMetricsExporter(
            disable_scope_labels=True,
            disable_target_info=True,
            stale_markers=False,
            interval=round(2000 * arguments.push_timeout) or 1,
        )
        said = _exported(exporter, ending, name, arguments.push_timeout, mask)
    except Exception as error:  # noqa: BLE001 - a wrong setting must not change the exit status
        said = f", and is lost: {error if isinstance(error, ValueError) else type(error).__name__}"
    complain(f"{lost}{said}\n" if said else "")


def _exported(
    exporter: PrometheusRemoteWriteMetricsExporter, ending: Ending, name: str, seconds: float, mask: job_command.Mask
) -> str:
    """Export how a job ended; return the message to print if it was not accepted."""
    attributes = {_INSTANCE_ID: "", **OTELResourceDetector().detect().attributes, _SERVICE_NAME: name}
    data = metrics_data(ending, attributes)
    why, is_accepted = "", False
    try:
        with job_command.interruptible(mask):
            is_accepted = exporter.export(data, timeout_millis=1000 * seconds) is MetricExportResult.SUCCESS
    except KeyboardInterrupt:
        why = " (interrupted)"
        exporter.cut_short(0)
        exporter.force_flush(_TO_CUT_SHORT)  # so that the shutdown can say what is kept
    exporter.shutdown()  # keeps on disk what was not accepted
    if is_accepted:
        return ""
    if folder := exporter.settings.buffer_directory:
        return f"{why}: it is lost unless the lines above say that {folder} keeps it"
    return f"{why}, and is lost"


def metrics_data(ending: Ending, attributes: Mapping[str, object]) -> MetricsData:
    """Return the metrics of a job that has ended, under a resource with these attributes."""
    result = ending.result
    values = [
        ("job.last_exit_code", "", "The exit code of the last run.", float(result.status)),
        ("job.last_duration", "s", "How long the last run took.", ending.ended - ending.began),
        ("job.last_start_timestamp", "s", "When the last run began, since the epoch.", ending.began),
        ("job.last_end_timestamp", "s", "When the last run ended, since the epoch.", ending.ended),
    ]
    if result.cpu is not None:
        values.append(("job.last_cpu_time", "s", "Processor time of the last run.", result.cpu))
    if result.memory is not None:
        most = "Peak memory of any process of the last run."
        values.append(("job.last_max_memory", "By", most, float(result.memory)))
    if result.status == 0:
        values.append(("job.last_success_timestamp", "s", "When a run last succeeded, since the epoch.", ending.ended))
    moment = round(ending.ended * 1e9)
    metrics = [
        Metric(name, help_, unit, Gauge([NumberDataPoint({}, moment, moment, value)]))
        for name, unit, help_, value in values
    ]
    scope = ScopeMetrics(InstrumentationScope("opentelemetry_prometheus_remote_write.job"), metrics, "")
    return MetricsData([ResourceMetrics(Resource(dict(attributes)), [scope], "")])  # type: ignore[arg-type]  # texts
