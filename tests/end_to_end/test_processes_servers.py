"""Web servers of several workers."""

from __future__ import annotations

import signal
from urllib.request import urlopen

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from tests.end_to_end.fleet import PINNED, POD, Program, assert_one_writer_each, instances, total

REQUESTS = 30


def serve(url):
    """Send requests until both workers have answered, and enough; return the workers, and how many there were."""
    workers, sent = set(), 0
    while sent < REQUESTS or len(workers) < 2:
        with urlopen(url, timeout=30) as response:
            workers.add(response.read())
        sent += 1
    return workers, sent


@pytest.mark.parametrize(
    ("flags", "pin", "loaded"),
    [
        pytest.param((), True, None, id="each worker loads the application"),
        pytest.param(("--preload",), True, 1, id="it is loaded before the fork"),
        pytest.param(("--preload",), False, 1, id="it is loaded before the fork, and the instance is not pinned"),
    ],
)
def test_gunicorn(receiver, tmp_path, flags, pin, loaded):
    command = ("gunicorn", "--bind", "127.0.0.1:0", "--workers", "2", "--no-control-socket", *flags, "web:wsgi")
    variables = {
        "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url,
        "OTEL_EXPORTER_PRW_INTERVAL": "300",
        **(PINNED if pin else {}),
    }
    with Program(*command, folder=tmp_path, **variables) as program:
        workers, sent = serve(program.said(r"Listening at: (http://\S+)"))
        assert program.end(signal.SIGTERM) == 0
    assert total(receiver, "work_total", at="request") == sent
    assert total(receiver, "work_total", at="import") == 100 * (loaded or len(workers))
    assert_one_writer_each(receiver)
    if pin:
        assert instances(receiver, "work_total") <= {POD, f"{POD}-1", f"{POD}-2"}
    assert "remote_write" not in program.log.read_text()


def test_uvicorn(receiver, tmp_path):
    command = ("uvicorn", "--port", "0", "--workers", "2", "web:asgi")
    variables = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url, "OTEL_EXPORTER_PRW_INTERVAL": "300", **PINNED}
    with Program(*command, folder=tmp_path, **variables) as program:
        workers, sent = serve(program.said(r"(?s)running on (http://\S+).*startup complete.*startup complete"))
        program.end(signal.SIGTERM)
    assert total(receiver, "work_total", at="request") == sent
    assert total(receiver, "work_total", at="import") == 100 * len(workers)
    # The processes that start the workers have measured nothing, but tell that they live.
    assert instances(receiver, "work_total") <= {POD, *(f"{POD}-{number}" for number in range(1, 5))}
    assert_one_writer_each(receiver)


@pytest.mark.parametrize(
    "flags", [(), ("--preload",)], ids=["each worker loads the application", "it is loaded before"]
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of uvicorn's module
def test_gunicorn_with_workers_of_uvicorn(receiver, tmp_path, flags):
    worker = ("--worker-class", "uvicorn.workers.UvicornWorker")
    command = (
        "gunicorn",
        "--bind",
        "127.0.0.1:0",
        "--workers",
        "2",
        "--no-control-socket",
        *worker,
        *flags,
        "web:asgi",
    )
    variables = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url, **PINNED}  # an interval that it does not last
    with Program(*command, folder=tmp_path, **variables) as program:
        _, sent = serve(program.said(r"Listening at: (http://\S+)"))
        assert program.end(signal.SIGTERM) == 0
    assert total(receiver, "work_total", at="request") == sent
    assert_one_writer_each(receiver)
    assert "Metrics" not in program.log.read_text()


def test_gunicorn_that_recycles_its_workers_before_a_slow_receiver(tmp_path):
    recycling = ("--workers", "2", "--max-requests", "5", "--max-requests-jitter", "2")
    command = ("gunicorn", "--bind", "127.0.0.1:0", "--no-control-socket", *recycling, "web:wsgi")
    with Receiver(answers=lambda _: ScriptedAnswer(delay=0.3)) as receiver:
        variables = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url, "OTEL_EXPORTER_PRW_INTERVAL": "100", **PINNED}
        with Program(*command, folder=tmp_path, **variables) as program:
            _, sent = serve(program.said(r"Listening at: (http://\S+)"))
            assert program.end(signal.SIGTERM) == 0
        assert total(receiver, "work_total", at="request") == sent
        assert_one_writer_each(receiver)
    assert "Metrics" not in program.log.read_text()
