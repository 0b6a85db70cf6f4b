"""The commands of docs/reference/commands.md run as they stand there."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry_prometheus_remote_write.command import SUBCOMMANDS

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.application import run
from tests.docs.pages import blocks

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "commands.md"
RECEIVER = "http://localhost:9090/api/v1/write"
THROUGH_A_SHELL = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1], shell=True).returncode)"
COUNTS = "from opentelemetry import metrics\nmetrics.get_meter('shop').create_counter('orders').add(1)\n"


def test_every_subcommand_is_described():
    headings = "".join(line for line in REFERENCE.read_text(encoding="utf-8").splitlines() if line.startswith("## "))
    assert all(f"`otel-prw {name}`" in headings for name in SUBCOMMANDS)


@pytest.mark.parametrize("command", [command for block in blocks(REFERENCE, "sh") for command in block.commands])
def test_command_of_the_reference_runs(command, tmp_path):
    for name in ("app.py", "import.py"):
        (tmp_path / name).write_text(COUNTS)
    with Receiver() as receiver:
        ended = run(
            *("python", "-c", THROUGH_A_SHELL, command.replace(RECEIVER, receiver.url)),
            cwd=tmp_path,
            OTEL_EXPORTER_PRW_ENDPOINT=receiver.url,
            OTEL_PYTHON_DISTRO="prometheus_remote_write",
            OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="system_metrics",
        )
        said = [line for line in ended.errors if not line.startswith("Metrics arrive at http://127.0.0.1:")]
        assert (ended.status, said) == (0, [])
        assert receiver.rejected == []


def test_pages_hold_commands():
    assert blocks(REFERENCE, "sh")
