"""Applications that disturb an export: by signals, by a handler of their log, by having no memory left."""

from __future__ import annotations

import sys

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from tests.end_to_end.fleet import FOLDER, Program, total

INTERRUPTED = FOLDER / "interrupted.py"
FLUSHING_HANDLER = FOLDER / "flushing_handler.py"
OURS = {}
STOCK = {
    "OTEL_PYTHON_DISTRO": "distro",
    "OTEL_PYTHON_CONFIGURATOR": "configurator",
    "OTEL_METRICS_EXPORTER": "prometheus_remote_write",
    "OTEL_TRACES_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
    "OTEL_METRIC_EXPORT_INTERVAL": "3600000",
}
FLUSHED = r"\(flushed in (.+), and at first in .+\)"
FLUSHED_AT_FIRST = r"\(flushed in .+, and at first in (.+)\)"
READERS = pytest.mark.parametrize("reader", [OURS, STOCK], ids=["our controller", "the SDK's reader"])


def assert_prompt(program):
    """Nothing was waited for in the last flush; the first tells how busy the machine is."""
    assert float(program.said(FLUSHED)) < 5 + 20 * float(program.said(FLUSHED_AT_FIRST))


def test_a_signal_handler_that_raises_within_a_flush_disturbs_nothing(receiver, tmp_path):
    variables = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url}
    times = 300
    with Program("python", INTERRUPTED, times, 0.01, folder=tmp_path, **variables) as program:
        assert program.end() == 0, program.log.read_text()
    assert program.said(r"\(arrived (.+)\)") == f"{times} of {times}"
    assert_prompt(program)
    assert total(receiver, "work_total") == times
    assert "Metrics were" not in program.log.read_text()
    assert receiver.rejected == []


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is set by what Linux says of the process")
@pytest.mark.parametrize("threads", ["1", "4"])
def test_a_flush_without_memory_hangs_nothing(receiver, tmp_path, threads):
    spare = range(0, 2501, 250)
    variables = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url, "OTEL_EXPORTER_PRW_MAX_CONCURRENT_REQUESTS": threads}
    with Program("python", FOLDER / "without_memory.py", *spare, folder=tmp_path, **variables) as program:
        assert program.end() == 0, program.log.read_text()
    assert_prompt(program)
    assert total(receiver, "work_total") == len(spare) + 1


@READERS
@pytest.mark.parametrize("told", ["by the main thread", "by a thread"])
def test_a_handler_of_the_log_may_flush_and_raise(tmp_path, reader, told):
    soon = {"OTEL_EXPORTER_PRW_INTERVAL": "100", "OTEL_METRIC_EXPORT_INTERVAL": "100"}
    refusals = []
    with Receiver(answers=lambda _: refusals.pop() if refusals else None) as receiver:
        variables = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url, **reader, **(soon if told == "by a thread" else {})}
        with Program("python", FLUSHING_HANDLER, told, folder=tmp_path, **variables) as program:
            program.said(r"\((ready)\)")
            refusals += [ScriptedAnswer(403)] * 2
            program.process.stdin.write("\n")
            program.process.stdin.flush()
            program.said(r"\((said Metrics were not delivered.*)\)")
            receiver.wait_for(lambda receiver: total(receiver, "work_total") >= 2, 60)
            program.process.stdin.close()
            assert program.end() == 0, program.log.read_text()
    assert "(shut down)" in program.log.read_text()
