"""uWSGI, which forks its workers without Python's hooks unless it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from urllib.request import urlopen

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from tests.application import PYTHON
from tests.end_to_end.fleet import FOLDER, PINNED, POD, WHOLE_RUN, Program, assert_one_writer_each, instances, total
from tests.shared_folder import once

REQUESTS = 40
SHUTDOWN_TIMEOUT = 5  # seconds, the default
SLACK = 1.5  # seconds
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


def serve(uwsgi, receiver, folder, *flags, module="web", interval=WHOLE_RUN, until=lambda: None):
    """Let two workers answer requests, and end them; return the log, and how many seconds the end took."""
    server = ("--master", "--processes", "2", "--http-socket", "127.0.0.1:0", "--die-on-term")
    application = ("--home", PYTHON.parent.parent, "--need-app", "--module", f"{module}:wsgi")
    variables = {
        "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url,
        "OTEL_EXPORTER_PRW_INTERVAL": interval,
        "PYTHONPATH": os.pathsep.join(map(str, (FOLDER, uwsgi))),
        **PINNED,
    }
    with Program(uwsgi / "bin/uwsgi", *server, *application, *flags, folder=folder, **variables) as program:
        address = program.said(r"bound to TCP address (\S+) ")
        for _ in range(REQUESTS):
            with urlopen(f"http://{address}", timeout=30) as response:
                response.read()
        until()
        begin = time.monotonic()
        assert program.end(signal.SIGTERM) == 0
        return program.log.read_text(), time.monotonic() - begin


@pytest.mark.parametrize("lazily", [(), ("--lazy-apps",)], ids=["loaded before the fork", "loaded by each worker"])
@pytest.mark.parametrize(
    ("flag", "warns"), [((), True), (("--py-call-osafterfork",), False), (("--py-call-uwsgi-fork-hooks",), False)]
)
def test_every_request_is_counted_once(uwsgi, receiver, tmp_path, lazily, flag, *, warns):
    log, _ = serve(uwsgi, receiver, tmp_path, *lazily, *flag)
    assert total(receiver, "work_total", at="request") == REQUESTS
    assert_one_writer_each(receiver)
    assert instances(receiver, "work_total") <= {POD, f"{POD}-1", f"{POD}-2"}
    assert log.count("Metrics") == log.count(WARNING) == warns


def test_what_the_application_wants_done_after_a_fork_is_done_in_a_worker_that_counts(uwsgi, receiver, tmp_path):
    serve(uwsgi, receiver, tmp_path, module="forked")
    assert total(receiver, "work_total", at="request") == REQUESTS
    assert total(receiver, "work_total", at="hook") == 2


def test_what_is_counted_before_the_fork_arrives_with_an_interval_of_the_master(uwsgi, receiver, tmp_path):
    def arrived():
        receiver.wait_for(lambda receiver: total(receiver, "work_total", at="import") == 100, 30)

    serve(uwsgi, receiver, tmp_path, interval="300", until=arrived)
    assert total(receiver, "work_total", at="request") == REQUESTS
    assert total(receiver, "work_total", at="import") == 100
    assert_one_writer_each(receiver)


@pytest.mark.parametrize("flag", ["--lazy-apps", "--py-call-osafterfork", "--py-call-uwsgi-fork-hooks"])
def test_the_end_is_in_time_while_the_receiver_hangs(uwsgi, tmp_path, flag):
    with Receiver(answers=lambda _: ScriptedAnswer(delay=60)) as receiver:
        log, seconds = serve(uwsgi, receiver, tmp_path, flag)
    assert seconds < SHUTDOWN_TIMEOUT + SLACK
    assert "Metrics are lost" in log
