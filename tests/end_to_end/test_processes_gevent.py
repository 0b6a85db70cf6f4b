"""Applications of gevent, which replaces parts of the standard library: what imports them first breaks their HTTPS."""

from __future__ import annotations

import signal
from urllib.request import urlopen

import pytest

from tests.application import run
from tests.end_to_end.fleet import PINNED, Program, assert_one_writer_each, total

pytest.importorskip("gevent", reason="gevent has no build for this Python")

INTERVAL = "300"  # milliseconds: exports are made before, while and after workers begin
PATCH = "OTEL_PYTHON_AUTO_INSTRUMENTATION_EXPERIMENTAL_GEVENT_PATCH"


def ours(receiver, **variables):
    return {
        "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url,
        "OTEL_EXPORTER_PRW_INTERVAL": INTERVAL,
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*",
        **PINNED,
        **variables,
    }


def assert_nothing_was_broken(program, *more):
    log = program.log.read_text()
    for word in ("RecursionError", "half applied", "remote_write", *more):
        assert word not in log, log


@pytest.mark.parametrize("patch", [{}, {PATCH: "patch_all"}], ids=["patched by the workers", "patched at the start"])
def test_gunicorn(receiver, tmp_path, patch):
    command = ("gunicorn", "--bind", "127.0.0.1:0", "--workers", "2", "--no-control-socket")
    flags = ("--worker-class", "gevent", "--max-requests", "5", "green:wsgi")  # workers begin all the time
    with Program(*command, *flags, folder=tmp_path, **ours(receiver, **patch)) as program:
        url = program.said(r"Listening at: (http://\S+)")
        for _ in range(30):
            with urlopen(url, timeout=30) as response:
                assert response.status == 200
        assert program.end(signal.SIGTERM) == 0
    assert_nothing_was_broken(program, "Traceback")
    assert total(receiver, "work_total", at="request") == 30
    assert_one_writer_each(receiver)


SEND = "import tasks; [tasks.count.delay(amount) for amount in (1, 2, 3)]"


def test_celery(receiver, tmp_path):
    broker = tmp_path / "broker"
    broker.mkdir()
    variables = ours(receiver, BROKER_FOLDER=str(broker))
    with Program("python", "-c", SEND, folder=tmp_path, OTEL_SDK_DISABLED="true", **variables) as client:
        assert client.end() == 0, client.log.read_text()
    command = ("celery", "--app", "tasks", "worker", "--pool", "gevent", "--concurrency", "2")
    flags = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    with Program(*command, *flags, folder=tmp_path, **variables) as program:
        receiver.wait_for(lambda receiver: total(receiver, "work_total", at="task") == 6, 30)
        program.end(signal.SIGTERM)
    assert_nothing_was_broken(program)
    assert total(receiver, "work_total", at="task") == 6
    assert_one_writer_each(receiver)


AS_LOCUST = """
from gevent import monkey
monkey.patch_all()
import gevent
from urllib3.util.ssl_ import create_urllib3_context
from opentelemetry import metrics
work = metrics.get_meter('tests').create_counter('work')
def user():
    for _ in range(5):
        create_urllib3_context()
        work.add(1)
        gevent.sleep(0.1)
gevent.joinall([gevent.spawn(user) for _ in range(10)])
"""


def test_program_that_patches_as_its_first_act(receiver, tmp_path):
    """As Locust does."""
    ended = run("opentelemetry-instrument", "python", "-c", AS_LOCUST, cwd=tmp_path, **launched(receiver))
    assert (ended.status, ended.errors) == (0, [])
    assert total(receiver, "work_total") == 50


PATCHES_LATE = """
import sys
from opentelemetry import metrics
work = metrics.get_meter('tests').create_counter('work')
work.add(1)
metrics.get_meter_provider().force_flush()
import warnings
warnings.simplefilter('ignore')  # of gevent's own, which names urllib3
from gevent import monkey
monkey.patch_all()
work.add(1)
metrics.get_meter_provider().force_flush()
"""


def test_program_that_patches_after_an_export_is_told_which_variable_helps(receiver, tmp_path):
    ended = run("opentelemetry-instrument", "python", "-c", PATCHES_LATE, cwd=tmp_path, **launched(receiver))
    assert ended.status == 0
    (line,) = ended.errors
    assert line.startswith("gevent's patches are half applied")
    assert f"{PATCH}=patch_all" in line
    assert total(receiver, "work_total") == 2


def launched(receiver):
    variables = ours(receiver, OTEL_PYTHON_DISTRO="prometheus_remote_write", OTEL_SERVICE_NAME="shop")
    return {**variables, "OTEL_EXPORTER_PRW_INTERVAL": "3600000"}
