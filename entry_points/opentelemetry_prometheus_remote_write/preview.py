"""Run a program for a while and report what it would send, and what that costs.

The program runs as under otel-prw run, but pushes every second to the preview's own receiver: nothing reaches the real
one. Its output goes to stderr; the report goes to stdout when the program ends or the time is up.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from opentelemetry.environment_variables import OTEL_METRICS_EXPORTER
from opentelemetry.instrumentation.environment_variables import OTEL_PYTHON_CONFIGURATOR, OTEL_PYTHON_DISTRO

from opentelemetry.exporter.prometheus_remote_write.configuration.sdk_variables import common_interval
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import PREFIX, rows, variable
from opentelemetry_prometheus_remote_write import NAME, program
from opentelemetry_prometheus_remote_write.command_line import seconds
from opentelemetry_prometheus_remote_write.watched_program import watch

if TYPE_CHECKING:
    from opentelemetry.exporter.prometheus_remote_write.diagnose.cost_report import Preview

EXAMPLE = "otel-prw preview --for 10s -- python app.py"
EXIT_STATUSES = (
    "0 if metrics arrived, 1 if none did or a given limit would refuse something, 2 for a usage error, 126 if the "
    "program cannot be executed, 127 if it is not found"
)

_PUSHES_EVERY = 1000.0  # milliseconds
_RECEIVERS = ("none", "cortex", "mimir", "grafana-cloud", "amazon")
_BUFFERS = ("BUFFER_DIRECTORY",)
"""Settings that are meant for the real receiver."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the subcommand's arguments."""
    parser.add_argument("--for", dest="seconds", metavar="10s", type=seconds, help="end the program after this time")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--text", action="store_true", help="print all series in Prometheus's text format instead")
    form.add_argument("--json", action="store_true", help="print one JSON object instead")
    limits = parser.add_argument_group("limits", "Report what a receiver's limits would refuse.")
    limits.add_argument("--limits", choices=_RECEIVERS, default="none", help="the defaults of a receiver")
    limits.add_argument("--limit-series", metavar="N", type=_count, help="series in all")
    limits.add_argument("--limit-labels", metavar="N", type=_count, help="labels of a series")
    limits.add_argument("--limit-label-value-length", metavar="N", type=_count, help="characters of a label's value")
    program.add_arguments(parser)


def run(arguments: Namespace) -> int:
    """Run the program and print the report.

    Args:
        arguments: ``seconds``, ``text``, ``json``, the limits, the settings by name, and ``program``.

    Returns:
        The exit status.
    """
    words = program.command(arguments)
    environ = {**os.environ, **program.given_settings(arguments)}
    if environ.get("OTEL_CONFIG_FILE"):
        arguments.parser.error("OTEL_CONFIG_FILE names the receiver, so nothing can be previewed: unset it")
    path = program.executable(words[0], environ)
    if isinstance(path, int):
        return path
    try:
        preview = _preview(arguments, path, words, environ)
    except ImportError as error:
        arguments.parser.error(f"it cannot run without protobuf and python-snappy: {error}")
    except OSError as error:
        sys.stderr.write(f"otel-prw: {words[0]} cannot be executed: {error.strerror}\n")
        return program.NOT_EXECUTABLE
    if arguments.text and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # as the format demands
    sys.stdout.writelines(f"{line}\n" for line in _lines(arguments, preview))
    return 1 if preview.refusals or not preview.pushes.count else 0


def _preview(arguments: Namespace, path: str, words: Sequence[str], environ: Mapping[str, str]) -> Preview:
    from opentelemetry.exporter.prometheus_remote_write.diagnose import (  # noqa: PLC0415 - may be missing
        cost_report,
        receiver_limits,
    )
    from opentelemetry.exporter.prometheus_remote_write.diagnose.dropped_lines import dropped  # noqa: PLC0415 - as above
    from opentelemetry.exporter.prometheus_remote_write.diagnose.pushes import Pushes  # noqa: PLC0415 - as above
    from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver  # noqa: PLC0415 - as above

    given = {name: getattr(arguments, f"limit_{name}") for name in ("series", "labels", "label_value_length")}
    limits = receiver_limits.PRESETS[arguments.limits]
    limits = limits._replace(**{name: value for name, value in given.items() if value is not None})
    pushes, said = Pushes(), dict[str, None]()

    def listen(line: str) -> None:
        if text := dropped(line):
            said[text] = None

    began = time.monotonic()
    with Receiver(keep=0, listener=pushes.add) as receiver:
        status = watch(path, words, _environment(environ, receiver.url), seconds=arguments.seconds, listen=listen)
    if status > 0:
        sys.stderr.write(f"otel-prw preview: the program ended with status {status}\n")
    refused = list(receiver_limits.refusals(pushes.latest, limits))
    return cost_report.Preview(pushes, time.monotonic() - began, _interval(environ), list(said), refused)


def _lines(arguments: Namespace, preview: Preview) -> Iterator[str]:
    from opentelemetry.exporter.prometheus_remote_write.diagnose import cost_report, text_format  # noqa: PLC0415 - as above

    if arguments.json:
        return iter([json.dumps(cost_report.document(preview), indent=2)])
    if arguments.text:
        return text_format.text_format(preview.pushes)
    return cost_report.text(preview)


def _environment(environ: Mapping[str, str], endpoint: str) -> dict[str, str]:
    """Return the program's environment: as under run, but with our receiver and without the real one's settings."""
    kept = {name: text for name, text in environ.items() if name not in _of_the_way()}
    chosen = dict.fromkeys((OTEL_PYTHON_DISTRO, OTEL_PYTHON_CONFIGURATOR, OTEL_METRICS_EXPORTER), NAME)
    exceptions = [kept.get("no_proxy", kept.get("NO_PROXY", "")), "127.0.0.1"]
    return {
        **kept,
        **program.instrumentation(kept, program.working_folder()),
        **chosen,
        "no_proxy": ",".join(filter(None, exceptions)),
        variable("endpoint"): endpoint,
        variable("interval"): str(round(min(_interval(environ) or _PUSHES_EVERY, _PUSHES_EVERY))),
    }


def _of_the_way() -> set[str]:
    """Return the variables that say how to reach the real receiver, and what is buffered for it."""
    guarded = {variable(name) for name, row in rows().items() if row.guards}
    return guarded | {f"{PREFIX}{name}" for name in _BUFFERS}


def _interval(environ: Mapping[str, str]) -> float:
    """Return the application's interval in milliseconds, as far as the variables say it."""
    try:
        return float(environ.get(variable("interval"), ""))
    except ValueError:
        return common_interval(environ)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text[:40]!r} is not a number from 1")
    return int(text)
