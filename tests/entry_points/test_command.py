"""What all subcommands have in common."""

from __future__ import annotations

import re
import subprocess
from argparse import ArgumentTypeError
from importlib import import_module
from pathlib import Path

import pytest
from opentelemetry_prometheus_remote_write import is_own_command
from opentelemetry_prometheus_remote_write.command import SUBCOMMANDS
from opentelemetry_prometheus_remote_write.command_line import parsed_milliseconds

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.application import LAUNCHER, PYTHON, run

COMMAND = str(PYTHON.parent / "otel-prw")

MODULE = ("python", "-m", "opentelemetry_prometheus_remote_write")


@pytest.mark.parametrize("command", [("otel-prw",), MODULE], ids=["script", "module"])
@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_help_of_a_subcommand_has_an_example_and_the_exit_statuses(command, name, tmp_path):
    ended = run(*command, name, "--help", cwd=tmp_path)
    assert (ended.status, ended.errors) == (0, [])
    module = import_module(f"opentelemetry_prometheus_remote_write.{name}")
    assert f"example: {module.EXAMPLE}\n" in ended.output
    assert f"exit status: {module.EXIT_STATUSES}\n" in ended.output
    assert module.EXAMPLE.startswith(f"otel-prw {name}")


def test_help_lists_every_subcommand(tmp_path):
    ended = run("otel-prw", "--help", cwd=tmp_path)
    assert ended.status == 0
    listed = {line.split()[0] for line in ended.output.splitlines() if re.match(r"    \w", line)}
    assert listed == set(SUBCOMMANDS)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "otel-prw: the command is missing: choose one of run, check, preview"),
        (("rum",), "otel-prw: 'rum' is not a command: did you mean run?"),
        (("frobnicate",), "otel-prw: 'frobnicate' is not a command: choose one of run, check, preview"),
        (("--json", "check"), "otel-prw check: --json goes after the command: otel-prw check --json"),
        (("check", "--sned"), "otel-prw check: --sned is not an argument; did you mean --send?"),
        (("run", "--send", "--", "true"), "otel-prw run: --send is not an argument"),
        (("run", "--endpoint"), "otel-prw run: --endpoint needs a value"),
        (("run", "--stale-markers=true", "--", "true"), "otel-prw run: --stale-markers takes no value"),
        (("preview", "--for", "-3s", "--", "true"), "otel-prw preview: --for needs a value"),
        (("receive", "--once=0"), "otel-prw receive: --once '0' is not a number from 1"),
        (("dashboard", "both"), "otel-prw dashboard: the argument must be one of application, exporter, not 'both'"),
        (("run", "--endpiont=http://x", "--", "true"), "otel-prw run: --endpiont is not an argument; did you mean"),
        (("receive", "--end", "1"), "otel-prw receive: --end is not an argument"),
        (("receive", "more"), "otel-prw receive: more is not an argument"),
    ],
)
def test_wrong_call_is_one_sentence_and_status_2(arguments, sentence, tmp_path):
    ended = run("otel-prw", *arguments, cwd=tmp_path)
    assert (ended.status, ended.output, len(ended.errors)) == (2, "", 1)
    assert ended.errors[0].startswith(sentence)


def test_suggested_flag_is_one_that_resembles_the_wrong_one(tmp_path):
    assert run("otel-prw", "run", "--send", "--", "true", cwd=tmp_path).errors == [
        "otel-prw run: --send is not an argument"
    ]


PRINTING = [("check",), ("dashboard",), ("run", "--dry-run", "--", "true")]


@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_output_that_cannot_be_written_is_one_sentence_and_a_status_of_its_own(arguments):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([COMMAND, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    said = "otel-prw: cannot write its output: No space left on device\n"
    assert (done.returncode, done.stderr) == (74, said)


@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_closed_output_changes_no_status(arguments):
    with_output = subprocess.run([COMMAND, *arguments], capture_output=True, check=False)
    closed = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", COMMAND, *arguments], stderr=subprocess.PIPE, text=True, check=False
    )
    assert (closed.returncode, closed.stderr) == (with_output.returncode, "")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_program_inherits_streams_that_are_closed(closed):
    shell = ["/bin/sh", "-c", f'exec "$@" {closed}', "sh"]
    program = ["/bin/sh", "-c", "n=0; for f in 1 2; do [ -e /proc/$$/fd/$f ] && n=$((n + f)); done; exit $n"]
    alone = subprocess.run([*shell, *program], capture_output=True, check=False)
    done = subprocess.run([*shell, COMMAND, "run", "--", *program], capture_output=True, check=False)
    assert done.returncode == alone.returncode


@pytest.mark.parametrize("stream", ["2>/dev/full", "2>&-"])
def test_wrong_call_has_status_2_although_nobody_can_be_told(stream):
    done = subprocess.run(["/bin/sh", "-c", f'exec "$@" {stream}', "sh", COMMAND, "rum"], check=False)
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [("500ms", 500), ("5s", 5000), ("1.5m", 90_000), ("1h", 3_600_000), ("2d", 172_800_000), ("0", 0), ("2500", 2500)],
)
def test_duration_is_read(text, expected):
    assert parsed_milliseconds(text) == expected


@pytest.mark.parametrize("text", ["5", "99", "", "s", "5 s", "-5s", "5sec", "1e3s", "٣s٣"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ArgumentTypeError):
        parsed_milliseconds(text)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["python", "/opt/bin/otel-prw", "check"], True),
        (["python", "C:\\bin\\otel-prw.exe", "check"], True),
        (["python", "-m", "opentelemetry_prometheus_remote_write", "check"], True),
        (["python", "-X", "dev", "-m", "opentelemetry_prometheus_remote_write"], True),
        (["python", "app.py", "otel-prw"], False),
        (["python", "-m", "app"], False),
        (["python"], False),
        ([], False),
    ],
)
def test_command_knows_its_own_process(words, expected):
    assert is_own_command(words) is expected


@pytest.mark.parametrize("command", [("otel-prw", "--version"), (*MODULE, "--version")], ids=["script", "module"])
def test_command_pushes_nothing_where_everything_is_instrumented(command, tmp_path):
    """As in a pod that the Operator has injected, by kubectl exec."""
    with Receiver() as receiver:
        ended = run(
            *(LAUNCHER, *command),
            cwd=tmp_path,
            OTEL_PYTHON_DISTRO="prometheus_remote_write",
            OTEL_EXPORTER_PRW_ENDPOINT=receiver.url,
        )
        assert (ended.status, ended.errors) == (0, [])
        assert (receiver.received, receiver.rejected) == ([], [])


def test_what_the_terminal_cannot_encode_does_not_end_a_command(tmp_path):
    ended = run(
        "otel-prw",
        "run",
        "--dry-run",
        "--namespace",
        "Zürich",
        "--",
        "true",
        cwd=tmp_path,
        LC_ALL="C",
        PYTHONIOENCODING="ascii",
    )
    assert ended.status == 0
    assert "\\xfc" in ended.output
