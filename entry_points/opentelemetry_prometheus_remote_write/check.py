"""Find out whether metrics would arrive, and if not, what to do.

It reads the environment that the application would have, checks the installation, the settings, the network path to
the receiver and the receiver's answer, and reports each problem with its cause and cure. It changes nothing, prints no
secret, and takes no longer than the setting TIMEOUT (30 s). With --send it sends one series, otel_prw_check, and ends
it with a stale marker.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import replace
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NoReturn

from opentelemetry.exporter.prometheus_remote_write.diagnose.check import Check
from opentelemetry.exporter.prometheus_remote_write.diagnose.finding import Finding, arrives, failure
from opentelemetry.exporter.prometheus_remote_write.diagnose.report import TextReport, conclusion, document
from opentelemetry_prometheus_remote_write.exporter_names import chosen_exporters
from opentelemetry_prometheus_remote_write.terminal import wants_colour
from opentelemetry_prometheus_remote_write.unchanged_environment import unchanged_environment

EXAMPLE = "otel-prw check --send"
EXIT_STATUSES = "0 if metrics would arrive, 1 if not, 2 for a usage error"

_GRACE = 0.2  # seconds of grace: the network's own error says more than ours
_MORE_TIME = "find what hangs (a resolver, a file, a resource detector), or raise OTEL_EXPORTER_PRW_TIMEOUT"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the subcommand's arguments."""
    parser.add_argument("--send", action="store_true", help="send one series, otel_prw_check, and end it")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")


def run(arguments: Namespace) -> int:
    """Run the check and print the findings.

    Args:
        arguments: ``send`` and ``json``.

    Returns:
        The exit status.
    """
    logging.getLogger("opentelemetry").addHandler(logging.NullHandler())  # the findings say it all
    check = Check(unchanged_environment(), send=arguments.send, names_of=chosen_exporters)
    text = TextReport(colour=wants_colour(sys.stdout, os.environ))
    findings = []
    for finding in _in_time(check):
        findings.append(finding)
        if not arguments.json:
            sys.stdout.write(text.lines(finding))
            sys.stdout.flush()
    sys.stdout.write(json.dumps(document(findings), indent=2) + "\n" if arguments.json else "\n" + conclusion(findings))
    _leave(0 if arrives(findings) else 1)


def _in_time(check: Check) -> Iterator[Finding]:
    """Run the check in a thread of its own, so that a hang there does not block us."""
    found: SimpleQueue[Finding | BaseException | None] = SimpleQueue()

    def look() -> None:
        try:
            for finding in check.findings():
                found.put(finding)
        except BaseException as error:  # noqa: BLE001 - reported below; a check never ends in a traceback
            found.put(error)
        found.put(None)

    Thread(target=look, name="otel-prw check", daemon=True).start()
    last = "installation"
    while True:
        try:
            finding = found.get(timeout=max(check.end - time.monotonic(), 0) + _GRACE)
        except Empty:
            text = "the next step did not finish within the setting TIMEOUT"
            yield replace(failure("time", text, _MORE_TIME), section=last)
            return
        if finding is None:
            return
        if isinstance(finding, BaseException):
            text = f"the check itself failed: {type(finding).__name__}"
            yield replace(failure("fault", text, "report it as a bug, with the output above"), section=last)
            return
        last = finding.section
        yield finding


def _leave(status: int) -> NoReturn:
    """Exit at once, without waiting for a hanging thread or for the exit handlers of the application's packages."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
