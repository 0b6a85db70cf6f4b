"""The code of the pages runs, and what they set is accepted."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml

from opentelemetry.exporter.prometheus_remote_write.configuration.loading import load
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import PREFIX, rows
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.docs.pages import MANUAL, README, blocks, name, text


def of_pages(language):
    found = [block for page in MANUAL for block in blocks(page, language)]
    return [pytest.param(block, id=f"{name(block.page)}: {block.text[:40]!r}") for block in found]


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("block", of_pages("python"))
def test_python_runs_and_nothing_is_refused(block):
    with Receiver() as receiver:
        run(block.text.replace("http://localhost:9009/api/v1/write", receiver.url))
        assert receiver.rejected == []


def test_code_of_the_readme_pushes():
    (block,) = blocks(README, "python")
    with Receiver() as receiver:
        run(block.text.replace("http://localhost:9009/api/v1/write", receiver.url))
        assert receiver.values("orders_total", table="7") == [0, 1]


def test_a_job_that_hands_its_registry_to_the_exporter_pushes_it():
    (page,) = [page for page in MANUAL if name(page).endswith("prometheus-client.md")]
    (block,) = blocks(page, "python")
    with Receiver() as receiver:
        run(block.text.replace("http://localhost:9009/api/v1/write", receiver.url))
        (series,) = receiver.series("import_last_success_timestamp_seconds")
        assert series.label("job") == "import"


VARIABLES = [param for param in of_pages("sh") if param.values[0].variables]


@pytest.mark.parametrize("block", VARIABLES)
def test_variables_are_accepted_without_a_word(block):
    environ = {"OTEL_EXPORTER_PRW_ENDPOINT": "http://localhost:9090/api/v1/write", **block.variables}
    _, problems = load({}, environ)
    assert problems == []


@pytest.mark.parametrize("block", of_pages("yaml"))
def test_yaml_can_be_read(block):
    assert yaml.safe_load(block.text)


@pytest.mark.parametrize("page", MANUAL, ids=name)
def test_every_variable_that_is_named_is_one_of_ours(page):
    known = {f"{PREFIX}{row.variable}" for row in rows().values()}
    named = {word.rstrip(".,;:)`=*") for word in text(page).replace("`", " ").replace("=", " ").split()}
    assert {word for word in named if word.startswith(PREFIX) and word != PREFIX} - known - {f"{PREFIX}..."} <= set()
