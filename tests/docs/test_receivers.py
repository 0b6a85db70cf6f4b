"""docs/how-to/receivers.md: the exporter accepts each configuration, and what is called tested has tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from opentelemetry.exporter.prometheus_remote_write.configuration.loading import load
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import PREFIX, Settings
from tests.docs.pages import fenced

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = (CHECKOUT / "docs" / "how-to" / "receivers.md").read_text(encoding="utf-8")
MATRIX = (CHECKOUT / "docs" / "reference" / "receiver-matrix.md").read_text(encoding="utf-8")
RECEIVERS = (
    "Prometheus",
    "Cortex",
    "Mimir",
    "Thanos Receive",
    "VictoriaMetrics",
    "Grafana Cloud",
    "Amazon Managed Service for Prometheus",
    "Azure Monitor",
    "Google Cloud Managed Service for Prometheus",
)


def section(receiver):
    (text,) = re.findall(rf"^## {receiver}$(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    return text


def environments(receiver):
    return [dict(line.split("=", 1) for line in block.splitlines()) for block in fenced(section(receiver), "sh")]


@pytest.mark.parametrize(
    ("receiver", "environ"),
    [
        pytest.param(receiver, environ, id=f"{receiver} {number}")
        for receiver in RECEIVERS[:-1]
        for number, environ in enumerate(environments(receiver), 1)
    ],
)
def test_configuration_is_accepted_without_a_word(receiver, environ):
    settings, problems = load({}, environ)
    assert problems == []
    assert settings.endpoint == environ[f"{PREFIX}ENDPOINT"]
    assert settings != Settings(endpoint=settings.endpoint) or len(environ) == 1, receiver


def test_google_gets_nothing_of_ours():
    (environ,) = environments("Google Cloud Managed Service for Prometheus")
    assert environ["OTEL_METRICS_EXPORTER"] == "otlp"
    assert not any(name.startswith(PREFIX) for name in environ)


def test_every_receiver_has_a_row_and_each_row_leads_to_its_section():
    anchors = re.findall(r"^\| \[[^]]*\]\(#([\w-]*)\)", PAGE, re.MULTILINE)
    assert anchors == [receiver.lower().replace(" ", "-") for receiver in RECEIVERS]


def test_tests_that_are_named_are_there():
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", PAGE))
    assert len(named) == 3
    for file in named:
        assert (CHECKOUT / file).is_file(), file


def test_what_is_called_measured_is_in_the_matrix_with_its_version():
    rows = re.findall(r"^\| \[(?!Mimir)([\w ]+)\]\(#.*\| ([^|]*) \|$", PAGE, re.MULTILINE)
    measured = [(receiver, version) for receiver, cell in rows for version in re.findall(r"\d+(?:\.\d+)+", cell)]
    assert len(measured) == 6
    for receiver, version in measured:
        assert re.search(rf"^### {receiver} {re.escape(version)}\b", MATRIX, re.MULTILINE), receiver


@pytest.mark.parametrize("name", sorted(set(re.findall(rf"{PREFIX}\w+", PAGE))))
def test_every_variable_that_is_named_is_one_of_ours(name):
    _, problems = load({}, {name: ""})
    assert [problem for problem in problems if "not a variable" in problem.message] == []
