"""What README.md says is so: its table is the code's, its commands and its code run, its series arrive."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import urllib3

from examples.launcher.shop import Shop
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import rows
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.readme import blocks, commands, settings_table, text, with_settings
from tests.servers.ports import free_port

CHECKOUT = Path(__file__).resolve().parents[1]
TESTED_BY = {
    "make demo": "tests/end_to_end/test_demo.py::test_demo_shows_that_what_was_sent_has_arrived",
    "make test": "tests/test_readme.py::test_ci_runs_the_command_that_the_readme_names",
    "pip install . opentelemetry-instrumentation-flask": (
        "tests/test_distribution.py::test_installed_wheel_is_imported_and_every_entry_point_loads"
    ),
    "OTEL_SERVICE_NAME=shop OTEL_EXPORTER_PRW_ENDPOINT=http://localhost:9090/api/v1/write "
    "opentelemetry-instrument python app.py": (
        "tests/end_to_end/test_launcher.py::test_only_our_package_is_installed_the_endpoint_alone"
    ),
    "otel-prw receive": (
        "tests/entry_points/test_receive.py::test_table_of_each_push_is_printed_and_the_command_ends_after_enough"
    ),
}


def make(*arguments):
    return subprocess.run(
        ["make", "--dry-run", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=True
    ).stdout


def test_table_of_settings_is_that_of_the_code():
    is_current = text() == with_settings(text())
    assert is_current, "run make docs"


def test_table_of_settings_has_a_line_for_each_variable():
    head, rule, *lines = settings_table().splitlines()
    assert head == "| variable | type | default | meaning |"
    assert rule == "| --- | --- | --- | --- |"
    assert [line.split(" | ")[0] for line in lines] == [f"| `{row.variable}`" for row in rows().values()]
    assert all(line.count(" | ") == 3 for line in lines)
    assert "| `TIMEOUT` | milliseconds | 30000 | one HTTP request;" in settings_table()


def test_every_command_has_a_test():
    assert set(commands(text())) == set(TESTED_BY)


@pytest.mark.parametrize("test", TESTED_BY.values())
def test_test_of_a_command_exists(test):
    path, _, name = test.partition("::")
    assert f"def {name}(" in (CHECKOUT / path).read_text()


def test_ci_runs_the_command_that_the_readme_names():
    assert "make test </dev/null\n" in (CHECKOUT / ".ci" / "run").read_text()
    ran = make("test")
    for step in ("tests.servers.fetch", "ruff check", "ruff format --check", "mypy", "pytest --cov"):
        assert step in ran


def test_make_demo_runs_what_the_tests_of_the_demo_run():
    assert "-m examples.launcher.demo" in make("demo")
    assert "-m examples.launcher.demo --prometheus --hold 60" in make("demo", "PROMETHEUS=1", "HOLD=60")


def test_quickstart_pushes():
    quickstart = blocks(text(), "python")[0]
    with Receiver() as receiver:
        moved = quickstart.replace("http://localhost:9009/api/prom/push", receiver.url)
        assert moved != quickstart
        done = subprocess.run([sys.executable, "-c", moved], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert receiver.values("orders_total", table="7") == [0, 1]
        assert receiver.rejected == []


def test_exporter_takes_the_arguments_that_are_shown():
    done = subprocess.run(
        [sys.executable, "-c", blocks(text(), "python")[1]], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.fixture(scope="module")
def received_from_shop(tmp_path_factory):
    """What the demo's application pushes after a visit to its routes."""
    with Receiver() as receiver:
        settings = {
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_PYTHON_DISTRO": "prometheus_remote_write",
            "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url,
            "OTEL_EXPORTER_PRW_INTERVAL": "500",  # a second measurement: a ratio of CPU time has none before
            "OTEL_SEMCONV_STABILITY_OPT_IN": "http",
        }
        log = tmp_path_factory.mktemp("shop") / "shop.log"
        with Shop(settings, free_port(), log) as shop, urllib3.PoolManager(retries=False) as http:
            http.request("GET", shop.url)
            http.request("POST", f"{shop.url}/checkout", json=[])
            receiver.wait_for(2)
            assert shop.stop() == 0
        yield receiver


def test_every_series_of_the_table_arrives(received_from_shop):
    table = text().partition("## What arrives")[2].partition("`job` is")[0]
    examples = [
        re.fullmatch(r"(\w+)(?:\{(.*)\})?", example)
        for row in table.splitlines()[4:]
        if row.startswith("|")
        for example in re.findall("`([^`]*)`", row.split("|")[3])
    ]
    assert len(examples) == 9
    for name, labels in (example.groups() for example in examples):
        assert received_from_shop.series(name, **dict(re.findall(r'(\w+)="([^"]*)"', labels or ""))), name


@pytest.mark.parametrize("path", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/explanation/design.md"])
def test_links_within_the_repository_lead_somewhere(path):
    page = CHECKOUT / path
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
