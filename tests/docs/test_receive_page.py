"""docs/how-to/receive.md: its commands run, as they stand there but for the port."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.application import run
from tests.docs.pages import SITE, blocks, fenced, text
from tests.receiver.messages import post, request, series

PAGE = SITE / "how-to" / "receive.md"
ENDPOINT = "http://127.0.0.1:9009/api/v1/write"
COMMANDS = [command for block in blocks(PAGE, "sh") for command in block.commands]
COUNTS = "from opentelemetry import metrics\nmetrics.get_meter('shop').create_counter('orders').add(1)\n"


def of(program):
    return [command for command in COMMANDS if command.startswith(program)]


@pytest.mark.parametrize("command", of("otel-prw receive"))
def test_receiver_starts_and_prints_where_to_push_and_where_to_look(command):
    words = [str(Path(sys.executable).with_name("otel-prw")), *shlex.split(command)[1:], "--listen", "127.0.0.1:0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
        printed = [process.stderr.readline() for _ in range(2)]
        url = printed[0].strip().partition("=")[2]
        expected = fenced(text(PAGE), "text")[0]
        assert "".join(printed) == expected.replace(
            ENDPOINT.removesuffix("/api/v1/write"), url.removesuffix("/api/v1/write")
        )
        assert post(SimpleNamespace(url=url), request(series())).status == 204
        assert process.stdout.readline()
        if "--once" not in command:
            process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


@pytest.mark.parametrize("command", of("otel-prw run"))
def test_application_pushes_to_it(command, tmp_path):
    (tmp_path / "app.py").write_text(COUNTS)
    with Receiver() as receiver:
        ended = run(
            *shlex.split(command.replace(ENDPOINT, receiver.url)),
            cwd=tmp_path,
            OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="system_metrics",
        )
        assert ended.status == 0
        assert receiver.values("orders_total")[-1] == 1


def test_each_extra_of_the_page_is_one_of_the_package():
    extras = {command.partition("[")[2].partition("]")[0] for command in of("pip install")}
    assert extras == {"view", "tui"}
    project = (SITE.parent / "pyproject.toml").read_text()
    assert all(f"\n{extra} = [" in project for extra in extras)


def test_every_command_is_of_one_of_these_kinds():
    assert len(COMMANDS) == len(of("otel-prw receive") + of("otel-prw run") + of("pip install"))
