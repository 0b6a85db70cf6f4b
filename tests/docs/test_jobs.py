"""The commands of docs/how-to/jobs.md, and the handler of docs/how-to/aws-lambda.md, run as they are written."""

from __future__ import annotations

import configparser
import shlex

import pytest
import yaml

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.application import run
from tests.docs.pages import SITE, blocks

PAGE = SITE / "how-to" / "jobs.md"
LAMBDA = SITE / "how-to" / "aws-lambda.md"
IMPORT = "from opentelemetry import metrics\nmetrics.get_meter('import').create_counter('records').add(3)\n"


def test_the_job_of_the_page_is_pushed_with_what_it_measures(tmp_path):
    (tmp_path / "import.py").write_text(IMPORT)
    (block,) = blocks(PAGE, "sh")
    (command,) = block.commands
    with Receiver() as receiver:
        words = shlex.split(command.replace("http://localhost:9090/api/v1/write", receiver.url))
        ended = run(*words, cwd=tmp_path, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="system_metrics")
        assert (ended.status, ended.errors) == (0, [])
        assert {series.label("job") for series in receiver.series("records_total")} == {"nightly-import"}
        assert receiver.series("job_last_success_timestamp_seconds")


def crontab():
    *variables, line = blocks(PAGE, "text")[0].text.strip().splitlines()
    minute, hour, *days, command = line.split(maxsplit=5)
    assert (minute, hour, days) == ("15", "3", ["*", "*", "*"])
    return command, dict(variable.split("=", 1) for variable in variables)


def systemd_service():
    timer, service = (configparser.ConfigParser(strict=False, interpolation=None) for _ in range(2))
    for parser, block in zip((timer, service), blocks(PAGE, "ini"), strict=True):
        parser.optionxform = str
        parser.read_string(block.text)
    assert timer["Timer"]["OnCalendar"] == "*-*-* 03:15"
    assert service["Service"]["KillMode"] == "mixed"
    lines = [line for line in blocks(PAGE, "ini")[1].text.splitlines() if line.startswith("Environment=")]
    variables = dict(line.removeprefix("Environment=").split("=", 1) for line in lines)
    return service["Service"]["ExecStart"].replace("%N", "nightly-import"), variables


def github_step():
    ((step,),) = (yaml.safe_load(block.text) for block in blocks(PAGE, "yaml"))
    return step["run"].replace("${{ github.workflow }}", "nightly-import").replace("make test", "true"), step["env"]


@pytest.mark.parametrize("example", [crontab, systemd_service, github_step], ids=lambda example: example.__name__)
def test_examples_for_schedulers_push_how_the_job_ended(tmp_path, example):
    command, variables = example()
    (tmp_path / "import.sh").write_text("#!/bin/sh\n")
    (tmp_path / "import.sh").chmod(0o755)
    words = shlex.split(command.replace("/opt/jobs/.venv/bin/", "").replace("/opt/jobs/", f"{tmp_path}/"))
    assert "OTEL_EXPORTER_PRW_ENDPOINT" in variables
    with Receiver() as receiver:
        here = {name: str(tmp_path / "buffer") for name in variables if name.endswith("_DIRECTORY")}
        ended = run(*words, cwd=tmp_path, OTEL_EXPORTER_PRW_ENDPOINT=receiver.url, **here)
        assert (ended.status, ended.errors) == (0, [])
        assert receiver.values("job_last_exit_code", job="nightly-import") == [0]


def test_handler_of_a_function_pushes_within_its_invocation(tmp_path):
    variables = dict(line.split("=", 1) for line in blocks(LAMBDA, "text")[0].text.split())
    (block,) = blocks(LAMBDA, "python")
    (tmp_path / "function.py").write_text(
        f"{block.text}\nfrom opentelemetry.metrics import get_meter\nget_meter('f').create_counter('calls').add(1)\n"
        "assert handler({}, None) == {'status': 'done'}\nimport os\nos._exit(0)\n"
    )
    with Receiver() as receiver:
        here = {
            **variables,
            "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url,
            "OTEL_EXPORTER_PRW_BUFFER_DIRECTORY": str(tmp_path / "buffer"),
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "system_metrics",
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
        }
        ended = run("opentelemetry-instrument", "python", "function.py", cwd=tmp_path, **here)
        assert (ended.status, ended.errors) == (0, [])
        assert receiver.values("calls_total")[-1] == 1
