"""`otel-prw job`: the command's own exit status, and how it ended as series that stay the same run after run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from tests.application import run

OTEL_PRW = Path(sys.executable).with_name("otel-prw")
COUNTS = "from opentelemetry import metrics; metrics.get_meter('shop').create_counter('orders').add(1)"


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def job(tmp_path, receiver):
    def launch(*words, **variables):
        given = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url, **variables}
        return run("otel-prw", "job", *words, cwd=tmp_path, **given)

    return launch


def last(receiver, name):
    """The last value of a job's only series of a name, and its labels."""
    (series,) = receiver.series(name)
    return series.samples[-1].value, {label: text for label, text in series.labels if label != "__name__"}


@pytest.mark.parametrize(
    ("command", "status"),
    [
        pytest.param(("true",), 0, id="success"),
        pytest.param(("sh", "-c", "exit 7"), 7, id="failure"),
        pytest.param(("sh", "-c", "kill -9 $$"), 137, id="SIGKILL, as the OOM killer sends it"),
        pytest.param(("/no/such/program",), 127, id="a program that is not there"),
    ],
)
def test_the_exit_status_is_the_jobs_and_is_pushed(job, receiver, command, status):
    ended = job("--name", "nightly", "--", *command)
    assert ended.status == status
    assert last(receiver, "job_last_exit_code") == (status, {"job": "nightly"})
    assert bool(receiver.series("job_last_success_timestamp_seconds")) is (status == 0)
    duration, _ = last(receiver, "job_last_duration_seconds")
    start, _ = last(receiver, "job_last_start_timestamp_seconds")
    end, _ = last(receiver, "job_last_end_timestamp_seconds")
    assert 0 <= duration == pytest.approx(end - start)
    assert abs(end - time.time()) < 60
    assert receiver.rejected == []


def test_run_after_run_it_is_one_set_of_series(job, receiver):
    for command in ("true", "false", "true"):
        job("--name", "nightly", "--", command)
    assert [sample.value for sample in receiver.series("job_last_exit_code")[0].samples] == [0, 1, 0]
    assert len(receiver.series("job_last_exit_code")) == 1


def test_processor_time_and_memory_are_those_of_the_job(job, receiver):
    job("--name", "busy", "--", "python", "-c", "sum(range(5_000_000)); 'x' * 50_000_000")
    assert last(receiver, "job_last_cpu_time_seconds")[0] > 0
    assert last(receiver, "job_last_max_memory_bytes")[0] > 50_000_000


def test_what_a_python_program_measures_is_pushed_once_at_its_end(job, receiver):
    ended = job(
        "--name", "nightly", "--", "python", "-c", COUNTS, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="system_metrics"
    )
    assert (ended.status, ended.errors) == (0, [])
    (series,) = receiver.series("orders_total")
    assert series.label("job") == "nightly"
    assert [sample.value for sample in series.samples] == [0, 1]


def test_the_name_is_the_services_or_the_programs(job, receiver):
    job("--", "true")
    job("--", "true", OTEL_SERVICE_NAME="nightly")
    assert {series.label("job") for series in receiver.series("job_last_exit_code")} == {"true", "nightly"}


def test_the_hosts_name_is_the_instance_where_that_is_wanted(job, receiver):
    job("--name", "nightly", "--instance", "host", "--", "true")
    assert receiver.series("job_last_exit_code")[0].label("instance")


def test_names_follow_the_strategy(job, receiver):
    job("--name", "nightly", "--", "true", OTEL_EXPORTER_PRW_NAMESPACE="batch")
    assert receiver.series("batch_job_last_exit_code")


def test_signals_are_passed_on(tmp_path, receiver):
    script = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
print("up", flush=True)
signal.pause()
"""
    environ = {"PATH": os.environ["PATH"], "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url}
    words = [OTEL_PRW, "job", "--name", "nightly", "--", sys.executable, "-S", "-c", script]
    with subprocess.Popen(words, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 5
    assert last(receiver, "job_last_exit_code")[0] == 5


LISTENING = """
import os, pathlib, signal, sys
blocked = [line.split()[1] for line in pathlib.Path("/proc/self/status").read_text().splitlines() if "SigBlk" in line]
heard = []
signal.signal(signal.SIGINT, lambda *_: (heard.append("interrupt"), os.write(1, b"heard\\n")))
signal.signal(signal.SIGUSR1, lambda *_: os._exit(len(heard) + 10 * int(blocked[0], 16)))
os.write(1, b"up\\n")
while True:
    signal.pause()
"""


def launched(receiver, *command, cwd, **options):
    environ = {"PATH": os.environ["PATH"], "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url}
    words = [OTEL_PRW, "job", "--name", "nightly", "--", *command]
    return subprocess.Popen(words, cwd=cwd, env=environ, stdout=subprocess.PIPE, text=True, **options)


def test_no_signal_is_lost_between_the_start_of_the_job_and_ours(tmp_path, receiver):
    script = "trap 'exit 5' TERM; kill -TERM $PPID; while :; do sleep 0.1; done"
    with launched(receiver, "sh", "-c", script, cwd=tmp_path) as process:
        assert process.wait(60) == 5
    assert last(receiver, "job_last_exit_code")[0] == 5


def test_an_interrupt_without_a_terminal_is_passed_on_once(tmp_path, receiver):
    with launched(receiver, sys.executable, "-S", "-c", LISTENING, cwd=tmp_path) as process:
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "heard\n"
        process.send_signal(signal.SIGUSR1)
        assert process.wait(60) == 1


def test_an_interrupt_of_the_terminal_comes_once_even_where_stdin_is_none(tmp_path, receiver):
    """Ctrl-C goes to all processes in the foreground, so the job has it already."""
    master, terminal = os.openpty()
    take_terminal = (
        f"import fcntl, os, sys, termios; fcntl.ioctl({terminal}, termios.TIOCSCTTY, 0); "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    environ = {"PATH": os.environ["PATH"], "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url}
    job = [str(OTEL_PRW), "job", "--name", "nightly", "--", sys.executable, "-S", "-c", LISTENING]
    with subprocess.Popen(
        [sys.executable, "-c", take_terminal, *job],
        cwd=tmp_path,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        pass_fds=[terminal],
    ) as process:
        os.close(terminal)
        assert process.stdout.readline() == "up\n"
        os.write(master, b"\x03")
        assert process.stdout.readline() == "heard\n"
        process.send_signal(signal.SIGUSR1)
        assert process.wait(60) == 1
    os.close(master)


RESTING = """
import os, signal
heard = []
for number in (signal.SIGTSTP, signal.SIGCONT, signal.SIGALRM, signal.SIGWINCH, signal.SIGRTMIN + 1):
    signal.signal(number, lambda number, _frame: os.write(1, f"{signal.Signals(number).name}\\n".encode()))
signal.signal(signal.SIGTERM, lambda *_: os._exit(5))
os.write(1, b"up\\n")
while True:
    signal.pause()
"""


@pytest.mark.parametrize("number", [signal.SIGALRM, signal.SIGWINCH, signal.SIGCONT])
def test_whatever_signal_is_sent_is_passed_on(tmp_path, receiver, number):
    with launched(receiver, sys.executable, "-S", "-c", RESTING, cwd=tmp_path) as process:
        assert process.stdout.readline() == "up\n"
        process.send_signal(number)
        assert process.stdout.readline() == f"{number.name}\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 5


def test_who_is_told_to_stop_stops_with_the_job_and_goes_on_with_it(tmp_path, receiver):
    with launched(receiver, sys.executable, "-S", "-c", RESTING, cwd=tmp_path) as process:
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTSTP)
        assert process.stdout.readline() == "SIGTSTP\n"
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        process.send_signal(signal.SIGCONT)
        assert process.stdout.readline() == "SIGCONT\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 5


def test_a_signal_for_the_job_that_comes_while_its_end_is_pushed_changes_nothing(tmp_path):
    asked, goes_on = threading.Event(), threading.Event()

    def answer(_request):
        asked.set()
        goes_on.wait(30)

    with Receiver(answers=answer) as receiver, launched(receiver, "sh", "-c", "exit 3", cwd=tmp_path) as process:
        assert asked.wait(30)
        process.send_signal(signal.SIGUSR1)
        goes_on.set()
        assert process.wait(30) == 3
        assert receiver.values("job_last_exit_code") == [3]


@pytest.mark.parametrize("command", [("sh", "-c", "exit 4"), ("/no/such/program",)])
@pytest.mark.parametrize("reader", ["full disk", "nobody"])
def test_the_status_stays_where_stderr_cannot_be_written(tmp_path, command, reader):
    """Neither what is said of the push nor its log may change it."""
    environ = {"PATH": os.environ["PATH"], "OTEL_EXPORTER_PRW_ENDPOINT": "http://127.0.0.1:9/api/v1/write"}
    words = [OTEL_PRW, "job", "--push-timeout", "100ms", "--", *command]
    if reader == "nobody":
        reading, writing = os.pipe()
        os.close(reading)
    else:
        writing = os.open("/dev/full", os.O_WRONLY)
    try:
        ended = subprocess.run(words, cwd=tmp_path, env=environ, check=False, timeout=60, stderr=writing)
    finally:
        os.close(writing)
    assert ended.returncode == (4 if command[0] == "sh" else 127)


def test_a_job_that_ignores_sigterm_goes_on(tmp_path, receiver):
    script = 'trap "" TERM; echo up; read line; exit 4'
    with launched(receiver, "sh", "-c", script, cwd=tmp_path, stdin=subprocess.PIPE) as process:
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        process.stdin.write("go on\n")
        process.stdin.close()
        assert process.wait(60) == 4
    assert last(receiver, "job_last_exit_code")[0] == 4


def test_a_job_that_ends_by_the_signal_that_it_gets_has_the_status_of_a_shell(tmp_path, receiver):
    with launched(receiver, "sh", "-c", "echo up; exec sleep 100", cwd=tmp_path) as process:
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
    assert last(receiver, "job_last_exit_code")[0] == 128 + signal.SIGTERM


@pytest.mark.parametrize("text", ["no program", "#!/no/such/interpreter\n"])
def test_a_file_that_the_system_does_not_execute_is_said_and_pushed(job, receiver, tmp_path, text):
    (tmp_path / "script").write_text(text)
    (tmp_path / "script").chmod(0o755)
    ended = job("--name", "nightly", "--", "./script")
    assert ended.status == 126
    assert "./script cannot be executed" in ended.errors[0]
    assert last(receiver, "job_last_exit_code")[0] == 126
    assert not receiver.series("job_last_max_memory_bytes")


def test_a_file_that_may_not_be_executed_is_said_and_pushed(job, receiver, tmp_path):
    (tmp_path / "script").write_text("#!/bin/sh\n")
    (tmp_path / "script").chmod(0o644)
    assert job("--name", "nightly", "--", "./script").status == 126
    assert last(receiver, "job_last_exit_code")[0] == 126


def test_memory_is_the_jobs_where_it_has_less_than_we(tmp_path, receiver):
    with launched(receiver, "cat", cwd=tmp_path, stdin=subprocess.PIPE) as process:
        process.stdin.write("echo\n")
        process.stdin.flush()
        assert process.stdout.readline() == "echo\n"
        process.stdin.close()
        assert process.wait(60) == 0
    memory, _ = last(receiver, "job_last_max_memory_bytes")
    assert 0 < memory < 8_000_000


def test_a_parent_that_ignores_sigchld_costs_no_status(tmp_path, receiver):
    ignoring = (
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    words = [sys.executable, "-c", ignoring, str(OTEL_PRW), "job", "--", "sh", "-c", "exit 7"]
    environ = {"PATH": os.environ["PATH"], "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url}
    assert subprocess.run(words, cwd=tmp_path, env=environ, check=False, timeout=60).returncode == 7


def test_a_receiver_that_comes_back_gets_it_within_the_timeout(tmp_path):
    script = iter([ScriptedAnswer(503)] * 3)
    with Receiver(answers=lambda _: next(script, None)) as receiver:
        ended = run("otel-prw", "job", "--", "true", cwd=tmp_path, OTEL_EXPORTER_PRW_ENDPOINT=receiver.url)
        assert ended.status == 0
        assert receiver.series("job_last_exit_code")


def test_what_cannot_be_pushed_is_said_and_the_status_stays(tmp_path):
    ended = run(
        *("otel-prw", "job", "--name", "nightly", "--push-timeout", "300ms", "--", "sh", "-c", "exit 3"),
        cwd=tmp_path,
        OTEL_EXPORTER_PRW_ENDPOINT="http://127.0.0.1:9/api/v1/write",
    )
    assert ended.status == 3
    assert ended.errors[-1] == "otel-prw job: the result of nightly (exit code 3) was not pushed, and is lost"


def test_a_wrong_setting_is_said_and_the_status_stays(tmp_path):
    ended = run("otel-prw", "job", "--name", "nightly", "--", "sh", "-c", "exit 3", cwd=tmp_path)
    assert ended.status == 3
    assert "the result of nightly (exit code 3) was not pushed, and is lost: endpoint" in ended.errors[-1]


def test_what_is_kept_on_disk_is_not_said_to_be_lost_and_goes_with_the_next_run(tmp_path):
    words = ("otel-prw", "job", "--name", "nightly", "--push-timeout", "300ms", "--", "sh", "-c", "exit 3")
    environ = {"OTEL_EXPORTER_PRW_BUFFER_DIRECTORY": str(tmp_path / "kept")}
    script = iter([ScriptedAnswer(503)] * 100)
    receiver_is_away = True
    with Receiver(answers=lambda _: next(script) if receiver_is_away else None) as other:
        environ["OTEL_EXPORTER_PRW_ENDPOINT"] = other.url
        ended = run(*words, cwd=tmp_path, **environ)
        assert ended.status == 3
        assert not any("and is lost" in line for line in ended.errors)
        receiver_is_away = False
        assert run(*words, cwd=tmp_path, **environ).status == 3
        assert [sample.value for sample in other.series("job_last_exit_code")[0].samples] == [3, 3]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("answers", [True, False])
def test_an_interrupted_push_is_kept_on_disk_and_goes_with_the_next_run(tmp_path, number, answers):
    asked, is_back = threading.Event(), threading.Event()

    def answer(_request):
        if is_back.is_set():
            return None
        asked.set()
        if not answers:
            is_back.wait(30)
        return ScriptedAnswer(503)

    with Receiver(answers=answer) as receiver:
        environ = {
            "PATH": os.environ["PATH"],
            "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url,
            "OTEL_EXPORTER_PRW_BUFFER_DIRECTORY": str(tmp_path / "kept"),
        }
        words = [OTEL_PRW, "job", "--name", "nightly", "--", "sh", "-c", "exit 3"]
        with subprocess.Popen(words, cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True) as process:
            assert asked.wait(30)
            process.send_signal(number)
            *lines, last_line = process.communicate(timeout=60)[1].splitlines()
        assert process.returncode == 3
        # In any order: what the interrupted export has to log, its own thread logs.
        assert [line for line in lines if line.endswith(f"and are kept in {tmp_path / 'kept'} for the next process")]
        assert "(interrupted): it is lost unless the lines above say that" in last_line
        is_back.set()
        assert subprocess.run(words, cwd=tmp_path, env=environ, check=False, timeout=60).returncode == 3
        assert receiver.values("job_last_exit_code") == [3, 3]
    assert list((tmp_path / "kept").iterdir()) == []


def test_who_ends_the_push_still_gets_the_status(tmp_path):
    asked = threading.Event()
    with Receiver(answers=lambda _: asked.set() or ScriptedAnswer(503)) as receiver:
        environ = {"PATH": os.environ["PATH"], "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url}
        words = [OTEL_PRW, "job", "--name", "nightly", "--", "sh", "-c", "exit 3"]
        with subprocess.Popen(words, cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True) as process:
            assert asked.wait(60)
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "was not pushed (interrupted), and is lost" in errors
