"""docs/how-to/check.md: its commands run, and it explains every warning and every failure that there can be."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

from opentelemetry.exporter.prometheus_remote_write import diagnose
from opentelemetry.exporter.prometheus_remote_write.diagnose import receiver_answer
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.application import run
from tests.diagnose.checking import OURS

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = (CHECKOUT / "docs" / "how-to" / "check.md").read_text(encoding="utf-8")
ROOM = Path(next(iter(diagnose.__path__)))
COMMAND = CHECKOUT / "entry_points" / "opentelemetry_prometheus_remote_write" / "check.py"
RECEIVER = "http://localhost:9090/api/v1/write"


def topics():
    """The first argument of each call of warning() and failure(), and those that a refusal has."""
    for path in (*ROOM.glob("*.py"), COMMAND):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = getattr(node, "func", None)
            if isinstance(called, ast.Name) and called.id in {"warning", "failure"} and node.args:
                first = node.args[0]
                yield from [first.value] if isinstance(first, ast.Constant) else []
    for table in (receiver_answer._BY_CAUSE, receiver_answer._BY_STATUS, receiver_answer._BY_HUNDREDS):
        yield from table.values()
    yield from ("client-certificate", "not-sent", "refused")


def test_page_explains_every_finding_that_is_not_good_and_no_other():
    explained = {
        name for row in re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE) for name in re.findall("`(.*?)`", row)
    }
    assert explained - {"operator"} == set(topics())


@pytest.mark.parametrize(
    "command", sorted({line.strip() for line in PAGE.splitlines() if line.strip().startswith("otel-prw ")})
)
def test_command_of_the_page_runs(command, tmp_path):
    with Receiver() as receiver:
        ended = run(
            *shlex.split(command.replace(RECEIVER, receiver.url)),
            cwd=tmp_path,
            **OURS,
            OTEL_EXPORTER_PRW_ENDPOINT=receiver.url,
        )
        assert (ended.status, ended.errors) == (0, [])
        assert receiver.rejected == []
