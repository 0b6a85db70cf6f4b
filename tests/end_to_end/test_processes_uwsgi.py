"""uWSGI, which forks its workers without Python's hooks unless it is told to."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from tests.application import PYTHON
from tests.end_to_end.fleet import FOLDER, PINNED, POD, WHOLE_RUN, Program, assert_one_writer_each, instances, total
from tests.end_to_end.installations import instruments_children
from tests.shared_folder import once

REQUESTS = 40
SHUTDOWN_TIMEOUT = 5  # seconds
SLACK = 1.5  # seconds
ENDED = 30  # the status of a worker that uWSGI ends
IN_TIME = {"OTEL_EXPORTER_PRW_SHUTDOWN_TIMEOUT": "5000"}
AMPLE = {"OTEL_EXPORTER_PRW_SHUTDOWN_TIMEOUT": "25000"}  # where it is counted, however busy the machine is
WARNING = "Metrics of uWSGI's workers may be late or lost: set py-call-uwsgi-fork-hooks"

pytestmark = pytest.mark.timeout(600)  # there is no wheel of it: the first installation on a machine compiles it


def install(folder):
    command = (sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, "uwsgi")
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    (folder / "problem.txt").write_text(done.stderr if done.returncode else "")


@pytest.fixture(scope="session")
def uwsgi():
    """The folder that it is installed in, which is not the tests' environment: it takes minutes to compile."""
    folder = once("uwsgi", install)
    if problem := (folder / "problem.txt").read_text():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"uWSGI cannot be installed: {problem[-300:]}")
    return folder


def serve(
    uwsgi, receiver, folder, *flags, module="web", interval=WHOLE_RUN, until=lambda _: None, master=True, **variables
):
    """Let two workers answer requests, and end them; return the log, and how many seconds the start and the end took.

    Args:
        uwsgi: Where it is installed.
        receiver: Where metrics go.
        folder: For its log.
        flags: Of uWSGI.
        module: The application.
        interval: Of exports, in milliseconds.
        until: Waits, after the requests, for what has to be; given the program.
        master: Whether there is one, and so two workers, not one.
        variables: Of the environment.
    """
    processes = ("--master", "--processes", "2") if master else ("--processes", "1")
    variables["OTEL_EXPORTER_PRW_INTERVAL"] = interval
    began = time.monotonic()
    with start(uwsgi, receiver, folder, *flags, module=module, processes=processes, **variables) as program:
        address = program.said(r"bound to TCP address (\S+) ")
        program.said("(WSGI app 0 )")
        took = time.monotonic() - began
        for _ in range(REQUESTS):
            with urlopen(f"http://{address}", timeout=60) as response:
                response.read()
        if "--lazy-apps" in flags:  # uWSGI fails when it is to end while a worker loads the application
            program.said(r"(?s)(WSGI app 0 .*WSGI app 0 )")
        until(program)
        wait_until_workers_handle_signals(program)
        began = time.monotonic()
        assert program.end(signal.SIGTERM) == (0 if master else ENDED)
        return program.log.read_text(), took, time.monotonic() - began


def start(uwsgi, receiver, folder, *flags, module, processes=("--master", "--processes", "2"), **variables):
    """Start it; the arguments are those of serve()."""
    server = (*processes, "--http-socket", "127.0.0.1:0", "--die-on-term")
    application = ("--home", PYTHON.parent.parent, "--need-app", "--module", f"{module}:wsgi")
    variables = {
        "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url,
        "PYTHONPATH": os.pathsep.join(map(str, (FOLDER, uwsgi))),
        **PINNED,
        **variables,
    }
    return Program(uwsgi / "bin/uwsgi", *server, *application, *flags, folder=folder, **variables)


def wait_until_workers_handle_signals(program):
    """Wait until workers have uWSGI's handlers, SIGPIPE's last: before that, it forgets what its master sends."""
    for worker in re.findall(r"pawned uWSGI worker .*pid: (\d+)", program.log.read_text()):
        wait_for_handlers(worker, signal.SIGPIPE)


def wait_for_handlers(process, number):
    """Wait until a process has a handler for a signal, or has ended."""
    status = Path("/proc", str(process), "status")
    while status.exists() and not caught(status) >> (number - 1) & 1:
        time.sleep(0.01)


def caught(status):
    """The signals for which a process has handlers, a bit each; all of them where it has ended meanwhile."""
    try:
        return int(re.search(r"SigCgt:\s*(\w+)", status.read_text())[1], 16)
    except OSError:
        return -1


def writers(receiver):
    return {sample.value for series in receiver.series("writer") for sample in series.samples}


@pytest.mark.parametrize("lazily", [(), ("--lazy-apps",)], ids=["loaded before the fork", "loaded by each worker"])
@pytest.mark.parametrize(
    ("flag", "warns"), [((), True), (("--py-call-osafterfork",), False), (("--py-call-uwsgi-fork-hooks",), False)]
)
def test_every_request_is_counted_once(uwsgi, receiver, tmp_path, lazily, flag, *, warns):
    log, _, _ = serve(uwsgi, receiver, tmp_path, *lazily, *flag, **AMPLE)
    assert total(receiver, "work_total", at="request") == REQUESTS
    assert_one_writer_each(receiver)
    assert instances(receiver, "work_total") <= {POD, f"{POD}-1", f"{POD}-2"}
    assert log.count("Metrics") == log.count(WARNING) == warns


def test_what_the_application_wants_done_after_a_fork_is_done_in_a_worker_that_counts(uwsgi, receiver, tmp_path):
    serve(uwsgi, receiver, tmp_path, module="forked", **AMPLE)
    assert total(receiver, "work_total", at="request") == REQUESTS
    assert total(receiver, "work_total", at="hook") == 2


@pytest.mark.parametrize("flag", [(), ("--py-call-osafterfork",), ("--py-call-uwsgi-fork-hooks",)])
def test_what_is_counted_before_the_fork_arrives_with_an_interval(uwsgi, receiver, tmp_path, flag):
    def arrived(_):
        receiver.wait_for(lambda receiver: total(receiver, "work_total", at="import") == 100, 60)

    serve(uwsgi, receiver, tmp_path, *flag, interval="300", until=arrived, **AMPLE)
    assert total(receiver, "work_total", at="request") == REQUESTS
    assert total(receiver, "work_total", at="import") == 100
    assert_one_writer_each(receiver)


@pytest.mark.parametrize(
    ("flags", "master"),
    [
        pytest.param(["--py-call-osafterfork"], True, id="loaded before the fork"),
        pytest.param(["--lazy-apps", "--py-call-uwsgi-fork-hooks"], True, id="loaded by each worker"),
        pytest.param(["--threads", "2"], True, id="with threads"),
        pytest.param([], False, id="without a master"),
    ],
)
def test_a_worker_in_the_middle_of_a_request_loses_nothing(uwsgi, receiver, tmp_path, flags, *, master):
    def ask(address):
        with suppress(OSError):  # it is ended
            urlopen(f"http://{address}/slow", timeout=60).close()

    def has_begun_to_answer(program):
        thread = threading.Thread(target=ask, args=[program.said(r"bound to TCP address (\S+) ")])
        thread.start()
        threads.append(thread)
        receiver.wait_for(lambda receiver: total(receiver, "work_total", at="slow request") == 1, 60)

    threads = []
    serve(
        uwsgi,
        receiver,
        tmp_path,
        *flags,
        module="slow",
        interval="400",
        until=has_begun_to_answer,
        master=master,
        OTEL_EXPORTER_PRW_SHUTDOWN_TIMEOUT="25000",
    )
    threads[0].join()
    assert total(receiver, "work_total", at="request") == REQUESTS


def test_no_worker_that_is_forked_later_hangs(uwsgi, receiver, tmp_path):
    def all_are_there_again(program):
        program.said(f"(?s)({'.*'.join(['Respawned uWSGI worker'] * 4)})")
        workers = re.findall(r"Respawned uWSGI worker .* pid: (\d+)", program.log.read_text())[2:]
        receiver.wait_for(lambda receiver: writers(receiver) >= set(map(float, workers)), 60)

    recycled = ("--max-requests", "10", "--min-worker-lifetime", "0")
    serve(uwsgi, receiver, tmp_path, *recycled, interval="200", until=all_are_there_again, **AMPLE)
    assert total(receiver, "work_total", at="request") == REQUESTS
    assert total(receiver, "work_total", at="import") == 100


@pytest.mark.parametrize("flag", ["--lazy-apps", "--py-call-osafterfork", "--py-call-uwsgi-fork-hooks"])
def test_the_end_is_in_time_while_the_receiver_hangs(uwsgi, tmp_path, flag):
    with Receiver(answers=lambda _: ScriptedAnswer(delay=60)) as receiver:
        log, start_took, seconds = serve(uwsgi, receiver, tmp_path, flag, **IN_TIME)
    assert seconds < SHUTDOWN_TIMEOUT + SLACK + 4 * start_took  # which tells how busy the machine is
    assert "Metrics are lost" in log


@pytest.mark.parametrize(
    ("flag", "number"),
    [
        pytest.param([], signal.SIGTERM, id="end"),
        pytest.param(["--py-call-uwsgi-fork-hooks"], signal.SIGTERM, id="end, hooks are run by uWSGI"),
        pytest.param(["--py-call-osafterfork"], signal.SIGHUP, id="reload", marks=instruments_children),
    ],
)
def test_a_worker_that_still_starts_does_not_forget_a_signal(uwsgi, receiver, tmp_path, flag, number):
    go = tmp_path / "go"
    with start(uwsgi, receiver, tmp_path, *flag, module="starting", GO=str(go), **AMPLE) as program:
        program.said(r"(?s)(\(starts\).*\(starts\))")
        wait_for_handlers(program.process.pid, number)
        program.process.send_signal(number)
        program.said(r"(\.\.\.killing workers|gracefully killing workers)")
        go.touch()
        if number == signal.SIGHUP:
            program.said(r"(?s)binary reloading uWSGI.*(\(starts\).*\(starts\))")
            wait_until_workers_handle_signals(program)
            program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(50) == 0  # its master kills workers after 60 seconds
        assert "MERCY" not in program.log.read_text()
    assert total(receiver, "work_total", at="hook") == (4 if number == signal.SIGHUP else 2)
