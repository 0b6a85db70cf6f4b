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


@pytest.mark.parametrize("file", re.findall(r"`(tests/[\w/]+\.py)`", PAGE))
def test_tests_that_are_named_are_there_and_part_of_make_test(request, file):
    names = {path.name for path in CHECKOUT.joinpath(file).parent.iterdir()}
    assert Path(file).name in names
    assert Path(file).name.startswith("test_")
    assert Path(file).parts[0] in request.config.getini("testpaths")


def test_what_is_called_measured_is_what_the_matrix_has():
    rows = re.findall(r"^\| \[([\w ]+)\]\(#.*\| ([^|]*) \|$", PAGE, re.MULTILINE)
    called = {(receiver, version) for receiver, cell in rows for version in re.findall(r"\d+(?:\.\d+)+", cell)}
    measured = re.findall(r"^### ([A-Za-z ]+) (\d+(?:\.\d+)+)", MATRIX, re.MULTILINE)
    once = {("Mimir", "3.0.5")}  # by hand: no registry has what it is built of
    assert {(receiver, _of_length(version, called, receiver)) for receiver, version in measured} == called - once


def _of_length(version, called, receiver):
    """The version as the page writes it, which may leave out the last number."""
    shorter = [each for name, each in called if name == receiver and f"{version}.".startswith(f"{each}.")]
    return max(shorter, default=version)


@pytest.mark.parametrize("name", sorted(set(re.findall(rf"{PREFIX}\w+", PAGE))))
def test_every_variable_that_is_named_is_one_of_ours(name):
    _, problems = load({}, {name: ""})
    assert [problem for problem in problems if "not a variable" in problem.message] == []
