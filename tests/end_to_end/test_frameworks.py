"""Frameworks, each as its users run it and knowing nothing of metrics, injected as the Operator does it.

They are ended as Kubernetes ends a pod, by SIGTERM to its first process, long before the first interval is over: what
arrives was sent at the end. The commands are those of docs/how-to/launcher.md.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest
import urllib3

from tests.application import AMPLE, run, wait_until_it_serves
from tests.end_to_end import frameworks, installations
from tests.end_to_end.frameworks import Framework
from tests.end_to_end.injected_shop import INSTANCE
from tests.end_to_end.installations import instruments_children
from tests.servers.ports import free_port

NEVER = "2147483647"  # milliseconds; the first interval ends at a random moment of these 25 days
FLASK = """
from flask import Flask
app = Flask("shop")
@app.get("/products/<int:number>")
def product(number):
    return str(number)
"""
FASTAPI = """
from fastapi import FastAPI
app = FastAPI()
@app.get("/products/{number}")
def product(number: int):
    return number
"""
DJANGO_SETTINGS = """
SECRET_KEY = "secret"
ALLOWED_HOSTS = ["*"]
DEBUG = True
MIDDLEWARE = []
ROOT_URLCONF = "app"
"""
DJANGO = """
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("products/<int:number>", lambda request, number: HttpResponse(str(number)))]
"""
SCRIPT = """
import signal
from opentelemetry import metrics
metrics.get_meter("shop").create_counter("orders").add(1)
print("counted", flush=True)
signal.pause()
"""
NOTEBOOK = """
import json, os, sys
from jupyter_client.manager import start_new_kernel
with open(sys.argv[1]) as variables:
    manager, client = start_new_kernel(startup_timeout=240, env={"PATH": os.environ["PATH"], **json.load(variables)})
cell = "from opentelemetry import metrics; metrics.get_meter('notebook').create_counter('cells').add(1)"
told = client.execute_interactive(cell, timeout=240)["content"]["status"]
client.stop_channels()
manager.shutdown_wait_time = 120  # seconds; then it is killed
manager.shutdown_kernel()
print(told)
"""


TASKS = """
from celery import Celery
app = Celery("tasks", broker="filesystem://")
app.conf.broker_transport_options = {name: "broker" for name in ("data_folder_in", "data_folder_out", "control_folder")}
@app.task
def add(first, second):
    print(f"added {first} and {second}")
"""
SEND = "import tasks; [tasks.add.delay(number, number) for number in range(6)]"


@pytest.fixture(scope="module")
def python():
    """The application's interpreter, with the frameworks and nothing of OpenTelemetry."""
    return installations.python_with(
        *("celery >= 5.4", "django >= 5", "fastapi >= 0.115", "flask >= 3", "gunicorn >= 23", "ipykernel >= 6"),
        "uvicorn >= 0.30",
    )


class Started(NamedTuple):
    """An application under way, in a process group of its own."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self, pattern: str) -> None:
        """Return when its log has what the pattern matches."""
        deadline = time.monotonic() + 240
        while not re.search(pattern, self.log.read_text(), re.DOTALL):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)


@pytest.fixture
def start(python, injected, tmp_path):
    """Starts an application with its files: start(files, command, **variables) in a with statement."""

    @contextmanager
    def start(files, *command, **variables):
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        program, *arguments = command
        environment = injected(**{"OTEL_EXPORTER_PRW_INTERVAL": NEVER, **AMPLE, **variables})
        log = tmp_path / "log"
        with (
            log.open("wb") as output,
            subprocess.Popen(
                [python.with_name(program), *arguments],
                cwd=tmp_path,
                env={"PATH": str(python.parent), "HOME": str(tmp_path), **environment},
                stdout=output,
                stderr=output,
                start_new_session=True,
            ) as process,
        ):
            try:
                yield Started(process, log)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    return start


class Served(NamedTuple):
    """A web application: its framework, its files, the route that is asked for, and its status at the end."""

    framework: Framework
    files: dict[str, str]
    route: str
    status: int


OF_DJANGO = {"app.py": DJANGO, "settings.py": DJANGO_SETTINGS}


def counted(receiver, route):
    """How many requests to a route each process has told of last."""
    found = receiver.series("http_server_request_duration_seconds_count", http_route=route, job="berlin/shop")
    assert all(series.label("instance").startswith(INSTANCE) for series in found)
    return {series.samples[-1].value for series in found}


def assert_nothing_is_said(log):
    text = log.read_text()
    assert "opentelemetry" not in text
    assert "Traceback" not in text  # as gunicorn logs on Ctrl-C, also without us, of a request that it then breaks off


def assert_ours_was_chosen(receiver):
    """Only our configurator, which our distro chooses, says whose it is."""
    assert receiver.rejected == []
    assert receiver.series("target_info", telemetry_distro_name="opentelemetry-exporter-prometheus-remote-write")


def visit(server, port):
    wait_until_it_serves(server, port)
    with urllib3.PoolManager(retries=False) as http:
        for _ in range(3):
            assert http.request("GET", f"http://127.0.0.1:{port}/products/7").status == 200


@pytest.mark.parametrize(
    "served",
    [
        Served(frameworks.FLASK, {"app.py": FLASK}, "/products/<int:number>", 0),
        Served(frameworks.FASTAPI, {"app.py": FASTAPI}, "/products/{number}", -signal.SIGTERM),
        Served(frameworks.DJANGO, OF_DJANGO, "products/<int:number>", -signal.SIGTERM),
    ],
    ids=lambda served: served.framework.name,
)
def test_requests_of_the_last_interval_are_counted_by_their_route(start, receiver, served):
    port = free_port()
    command = served.framework.command.replace("PORT", str(port)).split()
    with start(served.files, *command, **served.framework.variables) as started:
        visit(started.process, port)
        assert receiver.received == []
        started.process.terminate()
        assert started.process.wait(timeout=240) == served.status
    assert_nothing_is_said(started.log)
    assert_ours_was_chosen(receiver)
    assert counted(receiver, served.route) == {3}


@instruments_children
@pytest.mark.parametrize(
    ("interval", "told"), [pytest.param("200", {3}, id="after an interval"), pytest.param(NEVER, set(), id="before")]
)
def test_runserver_that_reloads_kills_its_second_process_which_has_told_of_whole_intervals(
    start, receiver, interval, told
):
    """SIGTERM ends the first process, which only watches files; Django lets it kill the one that serves."""
    port = free_port()
    command = frameworks.RELOADING.command.replace("PORT", str(port)).split()
    with start(OF_DJANGO, *command, OTEL_EXPORTER_PRW_INTERVAL=interval, **frameworks.RELOADING.variables) as started:
        visit(started.process, port)
        receiver.wait_for(lambda receiver: counted(receiver, "products/<int:number>") == told, 60)
        started.process.terminate()
        assert started.process.wait(timeout=240) == 0
    assert_nothing_is_said(started.log)
    assert_ours_was_chosen(receiver)
    assert counted(receiver, "products/<int:number>") == told


def test_tasks_of_a_celery_worker_are_counted_by_the_processes_of_its_pool(start, receiver, tmp_path):
    (tmp_path / "broker").mkdir()
    with start({"tasks.py": TASKS}, "python", "-c", SEND, OTEL_SDK_DISABLED="true") as client:
        assert client.process.wait(timeout=240) == 0, client.log.read_text()
    with start({}, *frameworks.CELERY.command.split()) as worker:
        worker.said("(.*added ){6}")
        assert receiver.received == []
        worker.process.terminate()
        assert worker.process.wait(timeout=240) == 0
    assert_nothing_is_said(worker.log)
    assert_ours_was_chosen(receiver)
    found = receiver.series("flower_task_runtime_seconds_count", task="tasks.add", job="berlin/shop")
    assert sum(series.samples[-1].value for series in found) == 6
    assert {series.label("instance") for series in found} <= {INSTANCE, f"{INSTANCE}-1", f"{INSTANCE}-2"}


def test_what_a_plain_script_counts_arrives(start, receiver):
    with start({"app.py": SCRIPT}, *frameworks.SCRIPT.command.split()) as started:
        started.said("counted")
        assert receiver.received == []
        started.process.terminate()
        assert started.process.wait(timeout=240) == -signal.SIGTERM
    assert_nothing_is_said(started.log)
    assert_ours_was_chosen(receiver)
    assert receiver.values("orders_total", instance=INSTANCE)[-1] == 1


def test_cells_of_a_notebook_are_counted(python, injected, receiver, tmp_path):
    """The kernel is a process of its own, which the notebook's server starts with its own environment."""
    script = tmp_path / "server.py"
    script.write_text(NOTEBOOK)
    (tmp_path / "environment.json").write_text(
        json.dumps({**injected(OTEL_EXPORTER_PRW_INTERVAL=NEVER, **AMPLE), "HOME": str(tmp_path)})
    )
    ended = run("python", script, tmp_path / "environment.json", cwd=tmp_path, python=python, HOME=str(tmp_path))
    assert (ended.status, ended.output.split()[-1:]) == (0, ["ok"]), ended.errors
    assert not [line for line in ended.errors if "opentelemetry" in line]
    assert_ours_was_chosen(receiver)
    assert receiver.values("cells_total", job="berlin/shop", instance=INSTANCE)[-1] == 1
