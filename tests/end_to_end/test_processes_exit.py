"""The end of a process: its last interval arrives, and it is not held up."""

from __future__ import annotations

import re
import signal
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from tests.application import AMPLE, run
from tests.end_to_end.fleet import FOLDER, Program, total
from tests.end_to_end.installations import instruments_children
from tests.transport.scripted_server import ScriptedServer, drip, silent

ENDING = FOLDER / "ending.py"
WITHOUT_NAME_SERVER = FOLDER / "without_name_server.py"
READY = r"\((ready)\)"
OURS = {}
MARKERS = {"OTEL_EXPORTER_PRW_STALE_MARKERS": "true"}
RETRYING = {"OTEL_EXPORTER_PRW_TIMEOUT": "200", "OTEL_EXPORTER_PRW_MIN_BACKOFF": "10"}
STOCK = {
    "OTEL_PYTHON_DISTRO": "distro",
    "OTEL_PYTHON_CONFIGURATOR": "configurator",
    "OTEL_METRICS_EXPORTER": "prometheus_remote_write",
    "OTEL_TRACES_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
    "OTEL_METRIC_EXPORT_INTERVAL": "3600000",
}
SOON = {"OTEL_EXPORTER_PRW_INTERVAL": "100", "OTEL_METRIC_EXPORT_INTERVAL": "100"}
AT_ONCE = {"OTEL_EXPORTER_PRW_INTERVAL": "20", "OTEL_METRIC_EXPORT_INTERVAL": "20"}
BRIEFLY = {"OTEL_EXPORTER_PRW_SHUTDOWN_TIMEOUT": "1000"}
SHUTDOWN_TIMEOUT = 1.0  # the same in seconds
SLACK = 1.5  # seconds for what is not ours, beside a multiple of what the end of a process takes that nothing holds up
TIMES = 6  # so much longer it may take what has more to do, on a machine that is busy with something else


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
    if "locks are held" in ending:
        variables["OTEL_EXPORTER_PRW_SHUTDOWN_TIMEOUT"] = "10000"  # of which half is waited for who holds them
    with Program("python", ENDING, ending, folder=tmp_path, **variables) as program:
        if number:
            program.said(READY)
        elif ending.startswith("by"):
            program.process.stdin.close()
        assert program.end(number) == status, program.log.read_text()
    assert total(receiver, "work_total") == 1
    assert "not delivered" not in program.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_every_series_is_marked_as_ended_where_that_is_wanted(receiver, tmp_path, number):
    variables = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url, "OTEL_EXPORTER_PRW_STALE_MARKERS": "true"}
    with Program("python", ENDING, "", folder=tmp_path, **variables) as program:
        program.said(READY)
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


def silent_name_server(_servers):
    return {"OTEL_EXPORTER_PRW_ENDPOINT": "http://receiver.test/write", "WITHOUT_NAME_SERVER": "yes"}


class Way(NamedTuple):
    """How a process ends: what it is told, the signal it is sent, and the status that it leaves."""

    told: str
    number: int | None
    status: int


BY_SIGTERM = Way("", signal.SIGTERM, -signal.SIGTERM)
WAYS = [
    Way("by itself", None, 0),
    Way("by an exception", None, 1),
    BY_SIGTERM,
    Way("", signal.SIGINT, -signal.SIGINT),
]
WITHIN_THE_SDK = Way("while the SDK's locks are held", None, -signal.SIGTERM)


def seconds_to_end(program, way):
    """How long the process lives on after its own code has ended, or after it was sent its signal."""
    if way.number:
        program.said(READY)
        began = time.monotonic()
    status = program.end(way.number)
    ended = time.monotonic()
    assert status == way.status, program.log.read_text()
    return ended - (began if way.number else float(program.said(r"\(ended at (.+)\)")))


@pytest.mark.parametrize(
    ("fault", "reader", "when", "ways"),
    [
        pytest.param(silent_receiver, OURS, "during an export", WAYS, id="silence"),
        pytest.param(silent_receiver, OURS, "before an export", [*WAYS, WITHIN_THE_SDK], id="silence at the last one"),
        pytest.param(silent_receiver, RETRYING, "before an export", WAYS, id="silence in one attempt after the other"),
        pytest.param(silent_receiver, MARKERS, "before an export", WAYS, id="silence when series have to be ended"),
        pytest.param(silent_tls, OURS, "during an export", WAYS, id="silence during the handshake"),
        pytest.param(dripping_receiver, OURS, "during an export", WAYS, id="an answer that never ends"),
        pytest.param(hanging_proxy, OURS, "during an export", WAYS, id="a proxy that is silent"),
        pytest.param(black_hole, OURS, "during an export", WAYS, id="a black hole"),
        pytest.param(silent_name_server, OURS, "during an export", WAYS, id="a name server that is silent"),
        pytest.param(silent_name_server, OURS, "before an export", WAYS, id="no name server at the last one"),
        pytest.param(silent_receiver, STOCK, "during an export", WAYS, id="silence, the SDK's reader"),
        pytest.param(silent_receiver, STOCK, "before an export", WAYS, id="silence at the last one, the SDK's reader"),
        pytest.param(silent_tls, STOCK, "during an export", WAYS, id="silence during the handshake, the SDK's reader"),
        pytest.param(dripping_receiver, STOCK, "during an export", WAYS, id="a slow answer, the SDK's reader"),
        pytest.param(hanging_proxy, STOCK, "during an export", WAYS, id="a proxy that is silent, the SDK's reader"),
        pytest.param(black_hole, STOCK, "during an export", WAYS, id="a black hole, the SDK's reader"),
        pytest.param(silent_name_server, STOCK, "during an export", WAYS, id="no name server, the SDK's reader"),
        pytest.param(silent_name_server, STOCK, "before an export", WAYS, id="nor at the last one, the SDK's reader"),
    ],
)
def test_exit_is_not_held_up(tmp_path, fault, reader, when, ways):
    """Each way in a process of its own, all at once, beside one that nothing holds up: so long it takes here."""
    with ExitStack() as running:
        variables = {**fault(running), **reader, **BRIEFLY, **(SOON if when == "during an export" else {})}
        wrapped = (WITHOUT_NAME_SERVER,) if variables.pop("WITHOUT_NAME_SERVER", "") else ()
        programs = []
        for number, way in enumerate(ways):
            folder = tmp_path / str(number)
            folder.mkdir()
            command = ("python", *wrapped, ENDING, way.told, when)
            programs.append(Program(*command, folder=folder, launcher=not wrapped, **variables))
            running.enter_context(programs[-1])
        unhindered = {"OTEL_EXPORTER_PRW_ENDPOINT": running.enter_context(Receiver()).url}
        programs.append(Program("python", ENDING, WAYS[0].told, folder=tmp_path, **unhindered))
        running.enter_context(programs[-1])
        with ThreadPoolExecutor(len(programs)) as threads:
            *seconds, least = threads.map(seconds_to_end, programs, [*ways, WAYS[0]])
    assert max(seconds) < SHUTDOWN_TIMEOUT + SLACK + TIMES * least, (least, list(zip(ways, seconds, strict=True)))


@pytest.mark.parametrize(
    ("reader", "way"),
    [
        pytest.param(OURS, WAYS[0], id="our reader"),
        pytest.param(STOCK, WAYS[0], id="the SDK's reader"),
        pytest.param(OURS, WAYS[2], id="our reader, SIGTERM"),
    ],
)
@pytest.mark.parametrize("when", ["before an export", "during an export"])
def test_what_is_lost_at_the_exit_is_said(tmp_path, when, reader, way):
    with ExitStack() as servers:
        variables = {**silent_receiver(servers), **reader, "OTEL_EXPORTER_PRW_SHUTDOWN_TIMEOUT": "2000"}
        if when == "during an export":
            variables |= SOON
        with Program("python", ENDING, way.told, when, folder=tmp_path, **variables) as program:
            program.said(READY)
            assert program.end(way.number) == way.status
            assert "Metrics are lost" in program.log.read_text()


@pytest.mark.parametrize("reader", [OURS, STOCK], ids=["our controller", "the SDK's reader"])
def test_a_request_that_hangs_at_the_end_does_not_cost_the_last_interval(tmp_path, reader):
    with Receiver(answers=[ScriptedAnswer(delay=3600)]) as receiver:
        # Half of the time at the exit goes to what hangs.
        variables = {**reader, **SOON, "OTEL_EXPORTER_PRW_SHUTDOWN_TIMEOUT": "10000"}
        variables["OTEL_EXPORTER_PRW_ENDPOINT"] = receiver.url
        command = ("python", ENDING, "by itself", "during an export")
        with Program(*command, folder=tmp_path, **variables) as program:
            assert program.end() == 0
    assert total(receiver, "work_total") == 2


SLOWER_THAN_THE_INTERVAL = ScriptedAnswer(delay=0.4)


@pytest.mark.parametrize("reader", [OURS, STOCK], ids=["our controller", "the SDK's reader"])
def test_the_last_export_has_the_time_of_the_exit_however_short_the_interval(tmp_path, reader):
    with Receiver(answers=lambda _: SLOWER_THAN_THE_INTERVAL) as receiver:
        variables = {**reader, **SOON, "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url}
        command = ("python", ENDING, "by itself", "during an export")
        with Program(*command, folder=tmp_path, **variables) as program:
            assert program.end() == 0
        assert total(receiver, "work_total") == 2
    assert "Metrics" not in program.log.read_text()


GO_ON = """
import sys, threading
from work import work

def go_on():
    work.add(1)
    sys.stdin.readline()
    work.add(1)

threading.Thread(target=go_on).start()
"""


def outage(count):
    """Fails so many requests; then all are accepted."""
    left = iter(range(count))
    return lambda _: ScriptedAnswer(503) if next(left, None) is not None else None


@pytest.mark.parametrize("reader", [OURS, STOCK], ids=["our controller", "the SDK's reader"])
@pytest.mark.parametrize(
    ("answers", "requests"),
    [
        pytest.param(lambda _: ScriptedAnswer(delay=0.5), 10, id="a slow receiver"),
        pytest.param(outage(200), 210, id="an outage"),
    ],
)
def test_while_threads_work_on_after_the_main_one_it_is_not_the_exit(tmp_path, reader, answers, requests):
    script = tmp_path / "app.py"
    script.write_text(GO_ON)
    with Receiver(answers=answers) as receiver:
        variables = {**reader, **AT_ONCE, "OTEL_EXPORTER_PRW_SHUTDOWN_TIMEOUT": "4000"}
        variables["OTEL_EXPORTER_PRW_ENDPOINT"] = receiver.url
        with Program("python", script, folder=tmp_path, **variables) as program:
            receiver.wait_for(requests, 60)  # which take longer in all than the exit may
            program.process.stdin.close()
            assert program.end() == 0
        assert total(receiver, "work_total") == 2, program.log.read_text()
    assert "Metrics are lost" not in program.log.read_text()


LONG_CALLS = {
    "a hash": "import hashlib; hashlib.pbkdf2_hmac('sha256', b'secret', b'salt', 10**9)",
    "a query": """import sqlite3
sqlite3.connect(':memory:').execute(
    'with recursive c(n) as (select 1 union all select n + 1 from c) select count(*) from c').fetchall()""",
    "a hash within asyncio, which has the wakeup descriptor": """import asyncio, hashlib, signal
async def main():
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, print)
    hashlib.pbkdf2_hmac('sha256', b'secret', b'salt', 10**9)
asyncio.run(main())""",
}
LONG_CALL = """
from work import work
work.add(1)
print("(ready)", flush=True)
{call}
"""


@pytest.mark.parametrize("call", LONG_CALLS)
@pytest.mark.parametrize("forked", [False, True], ids=["", "in a forked child"])
def test_sigterm_ends_a_process_in_a_long_call(receiver, tmp_path, call, forked):
    script = tmp_path / "app.py"
    script.write_text(IN_A_CHILD * forked + LONG_CALL.format(call=LONG_CALLS[call]))
    with Program("python", script, folder=tmp_path, OTEL_EXPORTER_PRW_ENDPOINT=receiver.url) as program:
        program.said(READY)
        assert program.end(signal.SIGTERM) == -signal.SIGTERM, program.log.read_text()
    assert total(receiver, "work_total") == 1
    assert "Metrics" not in program.log.read_text()


FINDER = """
import signal, sys

class Finder:
    def find_spec(self, name, *_):
        if name == "_ctypes":
            raise RuntimeError("I find nothing")

sys.modules.pop("_ctypes", None)
sys.meta_path.insert(0, Finder())
signal.pause()
"""


def test_finder_of_modules_that_raises_keeps_no_process_from_ending(receiver, tmp_path):
    script = tmp_path / "app.py"
    script.write_text(LONG_CALL.format(call=FINDER))
    with Program("python", script, folder=tmp_path, OTEL_EXPORTER_PRW_ENDPOINT=receiver.url) as program:
        program.said(READY)
        assert program.end(signal.SIGTERM) == -signal.SIGTERM, program.log.read_text()
    assert total(receiver, "work_total") == 1
    assert "I find nothing" not in program.log.read_text()


@pytest.mark.parametrize("call", ["signal.pause()", "import hashlib; hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)"])
def test_a_signal_that_is_sent_several_times_is_one(tmp_path, call):
    script = tmp_path / "app.py"
    script.write_text(LONG_CALL.format(call=f"import signal; {call}"))
    came, may_answer = threading.Event(), threading.Event()

    def answers(_request):
        if came.is_set():
            return ScriptedAnswer()
        came.set()
        may_answer.wait(60)
        return ScriptedAnswer(503)

    with Receiver(answers=answers) as receiver:
        variables = {**AMPLE, "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url}
        with Program("python", script, folder=tmp_path, **variables) as program:
            program.said(READY)
            program.process.send_signal(signal.SIGTERM)
            assert came.wait(60), program.log.read_text()
            for _ in range(3):
                program.process.send_signal(signal.SIGTERM)
            may_answer.set()
            assert program.end() == -signal.SIGTERM, program.log.read_text()
        assert total(receiver, "work_total") == 1


IN_A_CHILD = """
import os, signal
reading, writing = os.pipe()
if child := os.fork():
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    os.write(writing, b"x")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
os.read(reading, 1)  # from now on the parent hands the signal on
"""


@pytest.mark.parametrize("call", ["a hash", "a query"])
def test_sigterm_ends_a_process_in_a_long_call_where_the_receiver_hangs(tmp_path, call):
    script = tmp_path / "app.py"
    script.write_text(LONG_CALL.format(call=LONG_CALLS[call]))
    (tmp_path / "unhindered").mkdir()
    with ExitStack() as running:
        variables = {**BRIEFLY, **silent_receiver(running)}
        program = running.enter_context(Program("python", script, folder=tmp_path, **variables))
        unhindered = {"OTEL_EXPORTER_PRW_ENDPOINT": running.enter_context(Receiver()).url}
        other = Program("python", ENDING, "", folder=tmp_path / "unhindered", **unhindered)
        running.enter_context(other)
        with ThreadPoolExecutor(2) as threads:
            seconds, least = threads.map(
                seconds_to_end, (program, other), [Way("", signal.SIGTERM, -signal.SIGTERM)] * 2
            )
    assert seconds < SHUTDOWN_TIMEOUT + SLACK + TIMES * least, least
    assert "Metrics are lost" in program.log.read_text()


CLOSES_DESCRIPTORS = """
import os, signal, threading
from work import work

work.add(1)
os.closerange(3, 1000)
mine = [os.open(f"mine-{number}", os.O_RDWR | os.O_CREAT) for number in range(20)]
os.kill(os.getpid(), signal.SIGTERM)
"""


def test_sigterm_writes_into_no_file_of_the_application(receiver, tmp_path):
    script = tmp_path / "app.py"
    script.write_text(CLOSES_DESCRIPTORS)
    with Program("python", script, folder=tmp_path, OTEL_EXPORTER_PRW_ENDPOINT=receiver.url) as program:
        assert program.end() == -signal.SIGTERM, program.log.read_text()
    assert total(receiver, "work_total") == 1
    files = list(tmp_path.glob("mine-*"))
    assert len(files) == 20
    assert [file.read_bytes() for file in files] == [b""] * 20


def test_a_process_whose_exports_outlast_the_interval_sends_its_last_collection(tmp_path):
    script = tmp_path / "app.py"
    script.write_text(BUSY)
    with Receiver(answers=lambda _: ScriptedAnswer(delay=0.1)) as receiver:
        variables = {**AT_ONCE, "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url}
        for number in range(3):
            with Program("python", script, number, folder=tmp_path, **variables) as program:
                receiver.wait_for(lambda receiver, number=number: receiver.series("work_total", run=str(number)), 60)
                program.said(READY)
                assert program.end(signal.SIGTERM) == -signal.SIGTERM
            (counted,) = re.findall(r"^(\d+)$", program.log.read_text().split("(ready)")[1], re.MULTILINE)[-1:]
            assert total(receiver, "work_total", run=str(number)) == int(counted)
            assert "Metrics are lost" not in program.log.read_text()


BUSY = """
import os, sys, time
from work import work

for number in range(1500):
    work.add(0, {"number": number, "run": sys.argv[1]})
print("(ready)", flush=True)
counted = 0
while True:
    os.write(1, b"%d\\n" % (counted + 1))
    work.add(1, {"run": sys.argv[1]})
    counted += 1
    time.sleep(0.01)
"""


EXEC = """
import os, sys
from work import work

work.add(1, {"before": "exec"})
try:
    os.execv("/no/such/program", ["program"])
except FileNotFoundError:
    work.add(1, {"before": "exec"})
if os.fork() == 0:
    work.add(1, {"before": "exec of a child"})
    os.execvp(sys.executable, [sys.executable, "-c", "print('(a child)', flush=True)"])
os.wait()
os.execlp(sys.executable, sys.executable, "-c", "from work import work; work.add(1, {'before': 'exit'})")
"""


@instruments_children
def test_what_was_counted_before_another_program_takes_over_arrives(receiver, tmp_path):
    script = tmp_path / "app.py"
    script.write_text(EXEC)
    with Program("python", script, folder=tmp_path, OTEL_EXPORTER_PRW_ENDPOINT=receiver.url) as program:
        assert program.end() == 0, program.log.read_text()
    assert total(receiver, "work_total", before="exec") == 2
    assert total(receiver, "work_total", before="exec of a child") == 1
    assert total(receiver, "work_total", before="exit") == 1
    assert "(a child)" in program.log.read_text()
    assert receiver.rejected == []


TERMINATE_WHAT_WAS_JUST_FORKED = """
import os, signal
from work import work

for _ in range(20):
    child = os.fork()
    if child == 0:
        signal.pause()
    os.kill(child, signal.SIGTERM)  # mostly before it has run at all
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGTERM, status
assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
"""


def test_a_child_that_is_terminated_before_it_has_run_dies(receiver, tmp_path):
    script = tmp_path / "app.py"
    script.write_text(TERMINATE_WHAT_WAS_JUST_FORKED)
    variables = {"PYTHONWARNINGS": "ignore::DeprecationWarning", "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url}
    with Program("python", script, folder=tmp_path, **variables) as program:
        assert program.end() == 0, program.log.read_text()
