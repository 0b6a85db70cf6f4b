"""Web frameworks, each as its users run it and knowing nothing of metrics, injected as the Operator does it.

Worker processes, Celery's among them, are in the tests of processes; plain scripts in those of the launcher.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from typing import NamedTuple

import pytest
import urllib3

from tests.application import run, wait_until_it_serves
from tests.end_to_end import installations
from tests.end_to_end.kubelet import Pod
from tests.servers.ports import free_port

INSTANCE = f"berlin.{Pod().name}.app"
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
NOTEBOOK = """
import json, os, sys
from jupyter_client.manager import start_new_kernel
with open(sys.argv[1]) as variables:
    manager, client = start_new_kernel(env={"PATH": os.environ["PATH"], **json.load(variables)})
cell = "from opentelemetry import metrics; metrics.get_meter('notebook').create_counter('cells').add(1)"
told = client.execute_interactive(cell, timeout=60)["content"]["status"]
client.stop_channels()
manager.shutdown_kernel()
print(told)
"""


@pytest.fixture(scope="module")
def python():
    """The application's interpreter, with the frameworks and nothing of OpenTelemetry."""
    return installations.python_with(
        "django >= 5", "fastapi >= 0.115", "flask >= 3", "gunicorn >= 23", "ipykernel >= 6", "uvicorn >= 0.30"
    )


class Served(NamedTuple):
    """A web application: its files, how its users start it, the route that is asked for, and how it is ended.

    A pod is ended by SIGTERM to its first process; what is started in a terminal by SIGINT to all.
    """

    files: dict[str, str]
    command: list[str]
    route: str
    end: Callable[[subprocess.Popen[bytes]], None]


def sigterm(server):
    server.terminate()


def ctrl_c(server):
    os.killpg(server.pid, signal.SIGINT)


def counted(receiver, route):
    """How many requests to a route each process has told of last."""
    found = receiver.series("http_server_request_duration_seconds_count", http_route=route, job="berlin/shop")
    assert all(series.label("instance").startswith(INSTANCE) for series in found)
    return {series.samples[-1].value for series in found}


@pytest.mark.parametrize(
    "served",
    [
        pytest.param(
            Served(
                {"app.py": FLASK},
                ["gunicorn", "--bind", "127.0.0.1:PORT", "--no-control-socket", "app:app"],
                "/products/<int:number>",
                sigterm,
            ),
            id="Flask under gunicorn",
        ),
        pytest.param(
            Served({"app.py": FASTAPI}, ["uvicorn", "--port", "PORT", "app:app"], "/products/{number}", sigterm),
            id="FastAPI under uvicorn",
        ),
        pytest.param(
            Served(
                {"app.py": DJANGO, "settings.py": DJANGO_SETTINGS},
                ["python", "-m", "django", "runserver", "127.0.0.1:PORT"],
                "products/<int:number>",
                ctrl_c,
            ),
            id="Django's runserver, which starts itself a second time",
        ),
    ],
)
def test_requests_are_counted_by_their_route(python, injected, receiver, tmp_path, served):
    for name, text in served.files.items():
        (tmp_path / name).write_text(text)
    port = free_port()
    program, *arguments = (word.replace("PORT", str(port)) for word in served.command)
    # Django's settings have to be found before the application runs, which in an injected pod only PYTHONPATH can do.
    own = {"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(tmp_path)} if "settings.py" in served.files else {}
    log = tmp_path / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [python.with_name(program), *arguments],
            cwd=tmp_path,
            env={
                "PATH": str(python.parent),
                "HOME": str(tmp_path),
                **injected(OTEL_EXPORTER_PRW_INTERVAL="200", **own),
            },
            stdout=output,
            stderr=output,
            start_new_session=True,
        ) as server,
    ):
        wait_until_it_serves(server, port)
        with urllib3.PoolManager(retries=False) as http:
            for _ in range(3):
                assert http.request("GET", f"http://127.0.0.1:{port}/products/7").status == 200
        # Before the end: on Ctrl-C Django's first process gives the second one a quarter of a second.
        receiver.wait_for(lambda receiver: counted(receiver, served.route) == {3})
        served.end(server)
        server.wait(timeout=20)
    assert receiver.rejected == [], log.read_text()
    assert counted(receiver, served.route) == {3}
    assert "opentelemetry" not in log.read_text()


def test_cells_of_a_notebook_are_counted(python, injected, receiver, tmp_path):
    """The kernel is a process of its own, which the notebook's server starts with its own environment."""
    script = tmp_path / "server.py"
    script.write_text(NOTEBOOK)
    (tmp_path / "environment.json").write_text(json.dumps({**injected(), "HOME": str(tmp_path)}))
    ended = run("python", script, tmp_path / "environment.json", cwd=tmp_path, python=python, HOME=str(tmp_path))
    assert (ended.status, ended.output.split()[-1:]) == (0, ["ok"]), ended.errors
    assert receiver.rejected == []
    assert receiver.values("cells_total", job="berlin/shop", instance=INSTANCE)[-1] == 1
