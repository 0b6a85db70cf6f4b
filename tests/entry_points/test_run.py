"""`otel-prw run`: whose distro a program has, which variables, and that the program is the process itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.application import run

COUNTS = "from opentelemetry import metrics; metrics.get_meter('shop').create_counter('orders').add(1)"
CHOSEN = {"OTEL_PYTHON_CONFIGURATOR": "prometheus_remote_write", "OTEL_PYTHON_DISTRO": "prometheus_remote_write"}
QUIET = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "flask,system_metrics"}


@pytest.fixture
def launch(tmp_path):
    return lambda *words, **variables: run("otel-prw", "run", *words, cwd=tmp_path, **variables)


def dry_run(launch, *words, **variables):
    """What would be set, but for what concerns the launcher."""
    ended = launch("--dry-run", *words, "--", "true", **variables)
    assert (ended.status, ended.errors) == (0, [])
    return dict(
        line.split("=", 1)
        for line in ended.output.splitlines()
        if not line.startswith(("OTEL_PYTHON", "PYTHONPATH", "OTEL_LOG_LEVEL"))
    )


@pytest.mark.parametrize(
    "variables", [{}, {"OTEL_PYTHON_DISTRO": "", "OTEL_PYTHON_CONFIGURATOR": " "}], ids=["unset", "blank"]
)
def test_program_pushes_although_another_distro_is_installed(launch, variables):
    with Receiver() as receiver:
        ended = launch("--endpoint", receiver.url, "--", "python", "-c", COUNTS, **QUIET, **variables)
        arrival = f"Metrics arrive at {receiver.url} (Remote Write 2.0, 1 series, next push in 60 s)"
        assert (ended.status, ended.output, ended.errors) == (0, "", [arrival])
        assert receiver.values("orders_total") == [0, 1]
        assert receiver.rejected == []


def test_quiet_hides_that_metrics_arrive(launch):
    with Receiver() as receiver:
        ended = launch("--quiet", "--endpoint", receiver.url, "--", "python", "-c", COUNTS, **QUIET)
        assert (ended.status, ended.output, ended.errors) == (0, "", [])
        assert receiver.values("orders_total") == [0, 1]


def test_command_without_dashes_in_front_is_understood(launch):
    assert launch("echo", "a", "--", "--endpoint", "b").output == "a -- --endpoint b\n"


def test_arguments_of_the_program_are_its_own(launch):
    assert launch("--interval", "5s", "--", "echo", "--interval", "--", "x").output == "--interval -- x\n"


def test_program_is_the_process_itself(tmp_path):
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "opentelemetry_prometheus_remote_write",
            "run",
            "--",
            "sh",
            "-c",
            "echo $$; exec sleep 60",
        ],
        stdout=subprocess.PIPE,
        cwd=tmp_path,
    ) as process:
        assert int(process.stdout.readline()) == process.pid
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == -signal.SIGINT


def test_exit_status_is_that_of_the_program(launch):
    assert launch("--", "sh", "-c", "exit 7").status == 7


def test_program_is_ended_by_a_broken_pipe_as_without_us(launch):
    assert launch("--", "sh", "-c", "trap '' TERM; kill -PIPE $$").status == -signal.SIGPIPE


@pytest.mark.parametrize(
    ("flags", "variables"),
    [
        (("--interval", "5s"), {"INTERVAL": "5000"}),
        (("--timeout", "1.5m"), {"TIMEOUT": "90000"}),
        (("--timeout=2500",), {"TIMEOUT": "2500"}),
        (("--stale-markers",), {"STALE_MARKERS": "true"}),
        (("--no-stale-markers",), {"STALE_MARKERS": "false"}),
        (("--max-series", "100"), {"MAX_SERIES": "100"}),
        (("--protocol", "2.0"), {"PROTOCOL": "2.0"}),
        (("--external-labels", "a=b,c=d"), {"EXTERNAL_LABELS": "a=b,c=d"}),
        (("--password-file", "/run/secrets/p"), {"PASSWORD_FILE": "/run/secrets/p"}),
        (
            ("--header", "X-Scope-OrgID=team", "--header", "X-Note=a,b=50%"),
            {"HEADERS": "X-Scope-OrgID=team,X-Note=a%2Cb%3D50%25"},
        ),
    ],
)
def test_flag_becomes_its_variable(launch, flags, variables):
    assert dry_run(launch, *flags) == {f"OTEL_EXPORTER_PRW_{name}": text for name, text in variables.items()}


def test_flag_wins_over_a_variable_and_what_is_not_given_is_kept(launch):
    given = {"OTEL_EXPORTER_PRW_MAX_SERIES": "1", "OTEL_EXPORTER_PRW_NAMESPACE": "kept"}
    ended = launch("--max-series", "2", "--", "sh", "-c", "env | grep PRW_[MN] | sort", **given)
    assert ended.output.splitlines() == ["OTEL_EXPORTER_PRW_MAX_SERIES=2", "OTEL_EXPORTER_PRW_NAMESPACE=kept"]


def test_dry_run_prints_what_a_shell_can_read(launch, tmp_path):
    ended = launch("--dry-run", "--namespace", "my shop", "--", "true", PYTHONPATH="/a:/b")
    lines = dict(line.split("=", 1) for line in ended.output.splitlines())
    launcher, *rest = lines.pop("PYTHONPATH").split(os.pathsep)
    assert launcher.endswith("/opentelemetry/instrumentation/auto_instrumentation")
    assert rest == [str(tmp_path), "/a", "/b"]
    assert lines == {**CHOSEN, "OTEL_EXPORTER_PRW_NAMESPACE": "'my shop'", "OTEL_LOG_LEVEL": "info"}


def test_path_of_an_instrumented_process_is_not_grown(launch):
    given = ""
    for _ in range(2):
        before, given = given, launch("--", "sh", "-c", "echo $PYTHONPATH", PYTHONPATH=given).output.strip()
    assert given == before


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"OTEL_PYTHON_DISTRO": "distro"}, "OTEL_PYTHON_DISTRO=distro is kept; ours is prometheus_remote_write"),
        (
            {"OTEL_METRICS_EXPORTER": "otlp, console"},
            "OTEL_METRICS_EXPORTER=otlp, console is kept, so metrics do not go out by Remote Write ({0})",
        ),
    ],
)
def test_what_the_environment_says_is_kept_and_said(launch, variables, sentence):
    (name,) = variables
    ended = launch("--", "sh", "-c", f"echo ${name}", **variables)
    assert (ended.output.strip(), ended.errors) == (
        variables[name],
        [f"otel-prw run: {sentence}".format("prometheus_remote_write")],
    )


def test_exporter_beside_others_is_nothing_to_speak_of(launch):
    assert launch("--", "true", OTEL_METRICS_EXPORTER="console, prometheus_remote_write").errors == []
    assert launch("--", "true", OTEL_METRICS_EXPORTER="prometheus-remote-write").errors == []


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--password", "hunter2"), "--password is refused: every user of this machine could read it"),
        (("--bearer-token=hunter2",), "--bearer-token is refused: every user of this machine could read it"),
        (
            ("--oauth2-params", "assertion=hunter2"),
            "--oauth2-params is refused: every user of this machine could read it",
        ),
        (("--header", "Authorization=Bearer hunter2"), "--header Authorization is refused: every user"),
        (("--header", "X-Api-Key=hunter2"), "--header X-Api-Key is refused: every user"),
        (("--endpoint", "http://me:hunter2@host/"), "--endpoint is refused with a secret in it"),
        (("--endpoint", "http://host/?token=hunter2"), "--endpoint is refused with a secret in it"),
        (("--proxy", "http://me:hunter2@host/"), "--proxy is refused with a secret in it"),
        (("--endpoint", "localhost:9090"), "--endpoint must begin with http:// or https://"),
        (("--interval", "5"), "--interval 5 has no unit: write 5s or 5ms"),
        (("--interval", "soon"), "--interval 'soon' is not a duration such as 500ms, 5s or 2m"),
        (("--max-series", "few"), "--max-series must be a whole number"),
        (("--namespace", " "), "--namespace must not be empty"),
        (("--header", "X-Scope-OrgID"), "--header 'X-Scope-OrgID' has no value: write name=value"),
        (("--header", "a b=c"), "--header holds an invalid header name"),
        (("--header", "a=b\nc"), "--header holds a control character or a line break"),
        (("--interval",), "--interval needs a value"),
        (("--max-seris=1",), "--max-seris is not an argument; did you mean --max-series?"),
    ],
)
def test_wrong_flag_is_one_sentence_and_status_2(launch, flags, sentence):
    ended = launch(*flags, "--", "echo", "ran")
    assert (ended.status, ended.output, len(ended.errors)) == (2, "", 1)
    assert ended.errors[0].startswith(f"otel-prw run: {sentence}")
    assert "hunter2" not in ended.errors[0]


def test_wrong_variable_does_not_keep_the_program_from_running(launch):
    ended = launch("--", "python", "-c", "print('ran')", OTEL_EXPORTER_PRW_INTERVAL="soon", **QUIET)
    assert (ended.status, ended.output) == (0, "ran\n")


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        ((), 2, "otel-prw run: the program is missing: write it after --, as in -- python app.py"),
        (("--",), 2, "otel-prw run: the program is missing: write it after --, as in -- python app.py"),
        (("--", "no-such-program"), 127, "otel-prw: no-such-program is not found"),
        (("--", "./no-such-program"), 127, "otel-prw: ./no-such-program is not found"),
        (("--", "./app.py"), 126, "otel-prw: ./app.py cannot be executed"),
        (("--", "./empty"), 126, "otel-prw: ./empty cannot be executed: Exec format error"),
    ],
)
def test_program_that_cannot_be_run_is_one_sentence(launch, tmp_path, words, status, sentence):
    (tmp_path / "app.py").touch(mode=0o644)
    (tmp_path / "empty").touch(mode=0o755)
    ended = launch(*words)
    assert (ended.status, ended.output, ended.errors) == (status, "", [sentence])
