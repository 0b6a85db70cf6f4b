"""The end of a process: its last interval arrives, and it is not held up."""

from __future__ import annotations

import signal
import socket
import struct
from contextlib import ExitStack

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver import Answer, Receiver
from tests.application import run
from tests.end_to_end.fleet import FOLDER, Program, total
from tests.transport.scripted_server import ScriptedServer, drip, silent

ENDING = FOLDER / "ending.py"
OURS = {}
STOCK = {
    "OTEL_PYTHON_DISTRO": "distro",
    "OTEL_PYTHON_CONFIGURATOR": "configurator",
    "OTEL_METRICS_EXPORTER": "prometheus_remote_write",
    "OTEL_TRACES_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
    "OTEL_METRIC_EXPORT_INTERVAL": "3600000",
}
SOON = {"OTEL_EXPORTER_PRW_INTERVAL": "100", "OTEL_METRIC_EXPORT_INTERVAL": "100"}
MUCH_LESS_THAN_THE_SDK_WAITS = 15  # seconds, of 30; our part of them is one


@pytest.mark.parametrize(
    ("ending", "number", "status"),
    [
        pytest.param("by itself", None, 0, id="normal exit"),
        pytest.param("by an exception", None, 1, id="exception"),
        pytest.param("by a status", None, 3, id="an exit status of its own"),
        pytest.param("", signal.SIGTERM, -signal.SIGTERM, id="SIGTERM"),
        pytest.param("", signal.SIGINT, -signal.SIGINT, id="SIGINT"),
        pytest.param("while the SDK's locks are held", None, -signal.SIGTERM, id="SIGTERM within the SDK"),
    ],
)
def test_the_last_interval_arrives(receiver, tmp_path, ending, number, status):
    variables = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url}
    with Program("python", ENDING, ending, folder=tmp_path, **variables) as program:
        if number:
            program.said("(ready)")
        elif ending.startswith("by"):
            program.process.stdin.close()
        assert program.end(number) == status, program.log.read_text()
    assert total(receiver, "work_total") == 1
    assert "not delivered" not in program.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_every_series_is_marked_as_ended_where_that_is_wanted(receiver, tmp_path, number):
    variables = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url, "OTEL_EXPORTER_PRW_STALE_MARKERS": "true"}
    with Program("python", ENDING, "", folder=tmp_path, **variables) as program:
        program.said("(ready)")
        assert program.end(number) == -number, program.log.read_text()
    (series,) = receiver.series("work_total")
    *_, value, marker = (sample.value for sample in series.samples)
    assert value == 1
    assert struct.pack("<d", marker) == bytes.fromhex("020000000000f07f")


def test_a_child_that_is_terminated_sends_its_last_interval(receiver, tmp_path):
    script = tmp_path / "app.py"
    script.write_text(TERMINATE_A_CHILD)
    with Program("python", script, folder=tmp_path, OTEL_EXPORTER_PRW_ENDPOINT=receiver.url) as program:
        assert program.end() == 0, program.log.read_text()
    assert total(receiver, "work_total") == 1


TERMINATE_A_CHILD = """
import multiprocessing, signal
from work import work

def run(pipe):
    work.add(1)
    pipe.send("ready")
    signal.pause()

mine, its = multiprocessing.get_context("fork").Pipe()
child = multiprocessing.get_context("fork").Process(target=run, args=(its,))
child.start()
mine.recv()
child.terminate()
child.join()
assert child.exitcode == -signal.SIGTERM
"""


HANDLER = """
import os, signal
from opentelemetry import metrics
from opentelemetry_prometheus_remote_write.configurator import PrometheusRemoteWriteConfigurator
{before}
PrometheusRemoteWriteConfigurator().configure()
{after}
metrics.get_meter("tests").create_counter("work").add(1)
os.kill(os.getpid(), signal.SIGTERM)
print("still alive")
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("handler", "output"),
    [
        pytest.param("signal.SIG_IGN", "still alive\n", id="SIGTERM is ignored"),
        pytest.param("lambda *_: print('handled')", "handled\nstill alive\n", id="the application handles SIGTERM"),
    ],
)
def test_an_applications_own_handler_is_not_touched(receiver, tmp_path, when, handler, output):
    script = HANDLER.format(**{"before": "", "after": "", when: f"signal.signal(signal.SIGTERM, {handler})"})
    variables = {"OTEL_METRICS_EXPORTER": "prometheus_remote_write", "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url}
    ended = run("python", "-c", script, cwd=tmp_path, **variables)
    assert ended == (0, output, [])
    assert total(receiver, "work_total") == 1


def silent_receiver(servers):
    return {"OTEL_EXPORTER_PRW_ENDPOINT": servers.enter_context(ScriptedServer(silent)).url}


def silent_tls(servers):
    url = servers.enter_context(ScriptedServer(silent)).url
    return {"OTEL_EXPORTER_PRW_ENDPOINT": url.replace("http:", "https:")}


def dripping_receiver(servers):
    server = ScriptedServer(drip(b"HTTP/1.1", b" "))
    return {"OTEL_EXPORTER_PRW_ENDPOINT": servers.enter_context(server).url}


def hanging_proxy(servers):
    proxy = servers.enter_context(ScriptedServer(silent)).url
    return {"OTEL_EXPORTER_PRW_ENDPOINT": "https://receiver.test/write", "OTEL_EXPORTER_PRW_PROXY": proxy}


def black_hole(servers):
    """A port whose queue of connections is full: the system drops whoever knocks."""
    listener = servers.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    for _ in range(10):
        waiting = servers.enter_context(socket.socket())
        waiting.settimeout(0.2)
        try:
            waiting.connect(listener.getsockname())
        except TimeoutError:
            return {"OTEL_EXPORTER_PRW_ENDPOINT": f"http://127.0.0.1:{listener.getsockname()[1]}/"}
    pytest.fail("the queue is never full")


@pytest.mark.parametrize(
    ("fault", "reader", "when"),
    [
        pytest.param(silent_receiver, OURS, "during an export", id="silence during an export"),
        pytest.param(silent_receiver, OURS, "before an export", id="silence at the last export"),
        pytest.param(silent_receiver, STOCK, "during an export", id="silence during an export of the SDK's reader"),
        pytest.param(silent_receiver, STOCK, "before an export", id="silence at the last export of the SDK's reader"),
        pytest.param(silent_tls, STOCK, "during an export", id="silence during the handshake"),
        pytest.param(dripping_receiver, STOCK, "during an export", id="an answer that never ends"),
        pytest.param(hanging_proxy, STOCK, "during an export", id="a proxy that is silent"),
        pytest.param(black_hole, STOCK, "during an export", id="a black hole"),
    ],
)
def test_exit_is_not_held_up(tmp_path, fault, reader, when):
    with ExitStack() as servers:
        variables = {**fault(servers), **reader, **(SOON if when == "during an export" else {})}
        variables["OTEL_EXPORTER_PRW_SHUTDOWN_TIMEOUT"] = "1000"
        with Program("python", ENDING, "by itself", when, folder=tmp_path, **variables) as program:
            program.said("(ready)")
            assert program.end(timeout=MUCH_LESS_THAN_THE_SDK_WAITS) == 0


@pytest.mark.parametrize("reader", [pytest.param(OURS, id="our reader"), pytest.param(STOCK, id="the SDK's reader")])
def test_what_is_lost_at_the_exit_is_said(tmp_path, reader):
    with ExitStack() as servers:
        variables = {**silent_receiver(servers), **reader, "OTEL_EXPORTER_PRW_SHUTDOWN_TIMEOUT": "2000"}
        with Program("python", ENDING, "by itself", "before an export", folder=tmp_path, **variables) as program:
            program.said("(ready)")
            assert program.end() == 0
            assert "Metrics are lost" in program.log.read_text()


def test_sigterm_is_not_held_up(tmp_path):
    with ExitStack() as servers:
        variables = {**silent_receiver(servers), **SOON, "OTEL_EXPORTER_PRW_SHUTDOWN_TIMEOUT": "1000"}
        with Program("python", ENDING, "during an export", folder=tmp_path, **variables) as program:
            program.said("(ready)")
            assert program.end(signal.SIGTERM, MUCH_LESS_THAN_THE_SDK_WAITS) == -signal.SIGTERM


NO_NAME_SERVER = """
import socket, threading
asked = threading.Event()
def getaddrinfo(*_arguments, **_keywords):
    asked.set()
    threading.Event().wait()
socket.getaddrinfo = getaddrinfo
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
exporter = PrometheusRemoteWriteMetricsExporter(endpoint="http://receiver.test/write", shutdown_timeout=1000)
provider = MeterProvider([PeriodicExportingMetricReader(exporter, export_interval_millis=100)])
provider.get_meter("tests").create_counter("work").add(1)
asked.wait()
"""


def test_exit_is_not_held_up_by_a_name_server_that_does_not_answer(tmp_path):
    with Program("python", "-c", NO_NAME_SERVER, folder=tmp_path, launcher=False) as program:
        assert program.end(timeout=MUCH_LESS_THAN_THE_SDK_WAITS) == 0, program.log.read_text()


@pytest.mark.parametrize("reader", [OURS, STOCK], ids=["our controller", "the SDK's reader"])
def test_a_request_that_hangs_at_the_end_does_not_cost_the_last_interval(tmp_path, reader):
    with Receiver(answers=[Answer(delay=3600)]) as receiver:
        variables = {**reader, **SOON, "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url}
        command = ("python", ENDING, "by itself", "during an export")
        with Program(*command, folder=tmp_path, **variables) as program:
            assert program.end() == 0
    assert total(receiver, "work_total") == 2
