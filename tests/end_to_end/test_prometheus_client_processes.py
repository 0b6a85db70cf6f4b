"""The values of all processes of an application, in the folder of PROMETHEUS_MULTIPROC_DIR: pushed once, and exact."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from http.client import HTTPException
from urllib.request import urlopen

import pytest

from opentelemetry.exporter.prometheus_remote_write.model.stale_marker import is_stale
from tests.end_to_end.fleet import PINNED, POD, Program, instances
from tests.end_to_end.installations import instruments_children

REQUESTS = 30


def variables(receiver, tmp_path, **others):
    folder = tmp_path / "values"
    folder.mkdir(exist_ok=True)
    return {
        "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url,
        "OTEL_EXPORTER_PRW_INTERVAL": "500",
        "OTEL_EXPORTER_PRW_PROMETHEUS_CLIENT": "true",
        "PROMETHEUS_MULTIPROC_DIR": str(folder),
        **others,
    }


def get(url):
    with urlopen(url, timeout=60) as response:
        return response.read()


def serve(url, workers, seen):
    """Send requests until so many workers have answered, and enough; note who they are, return how many there were."""
    sent = 0
    while sent < REQUESTS or len(seen) < workers:
        seen.add(int(get(f"{url}/")))
        sent += 1
    return sent


def last_value(receiver, name, **labels):
    """What one writer after the other has written of the one series, whose last values are not stale."""
    (series,) = receiver.series(name, **labels)
    return [sample.value for sample in series.samples if not is_stale(sample.value)][-1]


def assert_ends_once(receiver, name):
    """The series ends with a stale marker, and had none before, however many processes have written it."""
    for series in receiver.series(name):
        stale = [is_stale(sample.value) for sample in series.samples]
        assert stale.index(True) == len(stale) - 1


def end(program, receiver):
    assert program.end(signal.SIGTERM) in {0, -signal.SIGTERM}, program.log.read_text()
    assert receiver.rejected == []
    assert "remote_write" not in program.log.read_text()


@instruments_children
@pytest.mark.parametrize(
    ("interval", "pinned"),
    [
        pytest.param("500", False, id="no instance is set"),
        pytest.param("240000", True, id="an instance is set, and all is pushed at the end"),
    ],
)
def test_the_spawned_workers_of_uvicorn_push_one_sum(receiver, tmp_path, interval, pinned):
    command = ("uvicorn", "--port", "0", "--workers", "3", "measured:asgi")
    settings = variables(
        receiver,
        tmp_path,
        OTEL_EXPORTER_PRW_INTERVAL=interval,
        OTEL_EXPORTER_PRW_STALE_MARKERS="true",
        **(PINNED if pinned else {}),
    )
    with Program(*command, folder=tmp_path, **settings) as program:
        sent = serve(program.said(r"(?s)running on (http://\S+)" + ".*startup complete" * 3), 3, set())
        end(program, receiver)
    assert last_value(receiver, "requests_total") == sent
    assert last_value(receiver, "latency_seconds_bucket", le="1.0") == sent
    assert_ends_once(receiver, "requests_total")
    (instance,) = instances(receiver, "requests_total")
    assert (instance == POD) is pinned
    assert receiver.series("target_info", instance=instance)


@instruments_children
def test_another_worker_goes_on_with_the_same_series_when_one_is_killed(receiver, tmp_path):
    command = ("uvicorn", "--port", "0", "--workers", "2", "measured:asgi")
    settings = variables(receiver, tmp_path, OTEL_EXPORTER_PRW_STALE_MARKERS="true")
    with Program(*command, folder=tmp_path, **settings) as program:
        url = program.said(r"(?s)running on (http://\S+)" + ".*startup complete" * 2)
        for crashes in (1.0, 2.0, 3.0):
            with suppress(OSError, HTTPException):
                get(f"{url}/crash")
            receiver.wait_for(lambda receiver, at=crashes: last_values(receiver, path="/crash") == [at], 60)
        sent = 0
        for _ in range(REQUESTS):
            get(f"{url}/")
            sent += 1
        end(program, receiver)
    assert last_value(receiver, "requests_total", path="/") == sent
    assert_ends_once(receiver, "requests_total")


def last_values(receiver, **labels):
    return [series.samples[-1].value for series in receiver.series("requests_total", **labels)]


@pytest.mark.parametrize("preload", [(), ("--preload",)], ids=["each worker loads it", "it is loaded before the fork"])
def test_the_forked_workers_of_gunicorn_push_one_sum_while_they_are_replaced(receiver, tmp_path, preload):
    command = ("gunicorn", "--bind", "127.0.0.1:0", "--no-control-socket", "--workers", "2", *preload, "measured:wsgi")
    settings = variables(receiver, tmp_path, OTEL_EXPORTER_PRW_STALE_MARKERS="true")
    with Program(*command, folder=tmp_path, **settings) as program:
        url, workers = program.said(r"Listening at: (http://\S+)"), set()
        sent = serve(url, 2, workers)
        for count, worker in enumerate(tuple(workers), 3):
            os.kill(worker, signal.SIGTERM)
            sent += serve(url, count, workers)
        end(program, receiver)
    assert last_value(receiver, "requests_total") == sent
    assert_ends_once(receiver, "requests_total")


SEND = "import measured; [measured.task.delay('/') for _ in range(7)]"


def test_the_pool_processes_of_celery_push_one_sum(receiver, tmp_path):
    broker = tmp_path / "broker"
    broker.mkdir()
    command = ("celery", "--app", "measured", "worker", "--pool", "prefork", "--concurrency", "2")
    flags = ("--max-tasks-per-child", "2", "--without-gossip", "--without-mingle", "--without-heartbeat")
    settings = variables(receiver, tmp_path, OTEL_EXPORTER_PRW_STALE_MARKERS="true", BROKER_FOLDER=str(broker))
    with Program("python", "-c", SEND, folder=tmp_path, OTEL_SDK_DISABLED="true", **settings) as client:
        assert client.end() == 0, client.log.read_text()
    with Program(*command, *flags, folder=tmp_path, **settings) as program:
        receiver.wait_for(lambda receiver: last_values(receiver) == [7.0], 60)
        end(program, receiver)
    assert last_value(receiver, "requests_total") == 7
    assert_ends_once(receiver, "requests_total")
