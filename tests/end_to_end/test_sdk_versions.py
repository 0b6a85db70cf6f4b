"""What the tests run with: the newest packages in `.venv`, the oldest in `.venv-oldest`; and where these differ."""

from __future__ import annotations

import re
import sys
from importlib.metadata import requires, version
from pathlib import Path

import pytest

PACKAGE = "opentelemetry-exporter-prometheus-remote-write"
CONSTRAINTS = Path(sys.prefix, "constraints.txt")  # the Makefile writes it, where the run is for certain versions
GAUGE = """
from opentelemetry import metrics
metrics.get_meter('shop').create_gauge('queue').set(7)
metrics.get_meter_provider().force_flush()
"""


def release(text):
    return tuple(map(int, re.findall(r"\d+", text)))[:3]


@pytest.mark.skipif(not CONSTRAINTS.exists(), reason="this run is for the newest packages")
def test_packages_are_those_that_the_run_is_for():
    wanted = dict(line.split("==") for line in CONSTRAINTS.read_text().split())
    installed = {name: release(version(name))[: len(release(bound))] for name, bound in wanted.items()}
    assert installed == {name: release(bound) for name, bound in wanted.items()}
    assert {"opentelemetry-sdk", "urllib3", "protobuf", "python-snappy"} <= set(wanted)


@pytest.mark.skipif(CONSTRAINTS.exists(), reason="this run is for older packages")
def test_packages_are_not_the_lowest_that_are_allowed():
    lowest = {
        re.match(r"[\w-]+", need)[0]: release(re.search(r"(?:~=|>=)([\w.]+)", need)[1])
        for need in requires(PACKAGE)
        if "extra ==" not in need
    }
    assert {name: release(version(name))[: len(bound)] for name, bound in lowest.items()} != lowest


def test_gauge_that_is_set_once_is_told_of_from_then_on_since_1_45(receiver, fully):
    ended = fully(GAUGE, OTEL_EXPORTER_PRW_ENDPOINT=receiver.url)
    assert (ended.status, ended.errors) == (0, [])
    values = receiver.values("queue")  # an export of the interval may come in between
    assert set(values) == {7}
    assert (len(values) > 1) == (release(version("opentelemetry-sdk")) >= (1, 45))
