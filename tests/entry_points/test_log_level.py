from __future__ import annotations

import re

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from tests.application import LAUNCHER, run

APPLICATION = """
from opentelemetry import metrics
metrics.get_meter("shop").create_counter("orders").add(1)
"""
SLOWLY = """
import time
from opentelemetry import metrics

def level(_options):
    time.sleep(0.1)
    return [metrics.Observation(1)]

meter = metrics.get_meter("shop")
meter.create_counter("orders").add(1)
meter.create_observable_gauge("level", [level])
"""
CONFIGURED = "import logging, sys\nlogging.basicConfig(stream=sys.stdout, format='app %(levelname)s %(message)s')\n"


def launched(tmp_path, source, *answers, **variables):
    (tmp_path / "app.py").write_text(source)
    with Receiver(answers=answers) as receiver:
        given = {
            "OTEL_PYTHON_DISTRO": "prometheus_remote_write",
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "system_metrics",
            "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url,
            **variables,
        }
        return run(LAUNCHER, "python", "app.py", cwd=tmp_path, **given), receiver.url


def test_the_first_success_is_said_where_info_is_asked_for(tmp_path):
    ended, url = launched(tmp_path, APPLICATION, OTEL_LOG_LEVEL="info")
    assert ended.errors == [f"Metrics arrive at {url} (Remote Write 2.0, 1 series, next push in 60 s)"]


@pytest.mark.parametrize(
    ("answers", "setting"),
    [
        pytest.param([], {"OTEL_EXPORTER_PRW_PROTOCOL": "1.0"}, id="set"),
        pytest.param([ScriptedAnswer(415)], {}, id="the newest that the receiver speaks"),
    ],
)
def test_the_version_that_is_spoken_is_said(tmp_path, answers, setting):
    ended, url = launched(tmp_path, APPLICATION, *answers, OTEL_LOG_LEVEL="info", **setting)
    assert ended.errors[-1] == f"Metrics arrive at {url} (Remote Write 1.0, 1 series, next push in 60 s)"


@pytest.mark.parametrize("level", ["", "warn", "nonsense"])
def test_nothing_is_said_where_nobody_asked(tmp_path, level):
    ended, _ = launched(tmp_path, APPLICATION, OTEL_LOG_LEVEL=level)
    assert ended.errors == []


def test_each_export_has_a_line_where_debug_is_asked_for(tmp_path):
    ended, _ = launched(tmp_path, SLOWLY, OTEL_LOG_LEVEL="DEBUG")
    [line] = [line for line in ended.errors if line.startswith("Export accepted: ")]
    assert "2 series, 4 samples, 1 request," in line
    seconds = {what: float(s) for what, s in re.findall(r"(collection|translation|encoding|sending) ([\d.]+) s", line)}
    assert seconds.keys() == {"collection", "translation", "encoding", "sending"}
    assert seconds["collection"] >= 0.1


def test_an_application_that_has_configured_logging_has_the_lines_where_it_wants_them(tmp_path):
    ended, url = launched(tmp_path, CONFIGURED + APPLICATION, OTEL_LOG_LEVEL="info")
    assert ended.errors == []
    assert f"app INFO Metrics arrive at {url}" in ended.output
