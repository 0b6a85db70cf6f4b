"""Processes that leave by os._exit or by a signal of their own: nothing of the interpreter's exit runs in them."""

from __future__ import annotations

import signal
import time

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from tests.end_to_end.fleet import PINNED, Program, instances, total

LEAVE = """
import os
from work import work

work.add(1, {"in": "parent"})
for way in ("counts", "does not count"):
    if not (child := os.fork()):
        if way == "counts":
            work.add(1, {"in": "child"})
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
os._exit(3)
"""


@pytest.fixture
def leave(tmp_path):
    """Runs the program that leaves so, in a parent and in two children; returns the seconds that took, and its log."""
    script = tmp_path / "app.py"
    script.write_text(LEAVE)

    def leave(receiver, **variables):
        began = time.monotonic()
        variables = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url, **PINNED, **variables}
        with Program("python", script, folder=tmp_path, PYTHONWARNINGS="ignore", **variables) as program:
            assert program.end() == 3, program.log.read_text()
        return time.monotonic() - began, program.log.read_text()

    return leave


def test_what_was_counted_arrives(receiver, leave):
    _, log = leave(receiver)
    assert (total(receiver, "work_total", **{"in": "parent"}), total(receiver, "work_total", **{"in": "child"})) == (
        1,
        1,
    )
    assert log == ""


def test_a_child_that_has_counted_nothing_leaves_at_once(receiver, leave):
    leave(receiver)
    assert len(instances(receiver, "writer")) == 2


def test_nothing_is_sent_where_that_is_not_wanted(receiver, leave):
    leave(receiver, OTEL_EXPORTER_PRW_DISABLE_OS_EXIT_FLUSH="true")
    assert receiver.received == []


def test_a_receiver_that_hangs_holds_it_up_no_longer_than_an_exit(leave):
    with Receiver(answers=lambda _: ScriptedAnswer(delay=60)) as receiver:
        started, _ = leave(receiver, OTEL_EXPORTER_PRW_DISABLE_OS_EXIT_FLUSH="true")
        seconds, log = leave(receiver, OTEL_EXPORTER_PRW_SHUTDOWN_TIMEOUT="1000")
    assert seconds < 2 * (1 + 1.5) + 5 * started  # that of the parent and that of the child
    assert "Metrics are lost" in log


WATCHDOG = """
import os, signal, threading
from work import work

work.add(1)
print("(ready)", flush=True)
signal.signal(signal.SIGTERM, lambda *_: os._exit(4))
while True:
    threading.Event().wait(0.1)
"""


def test_a_signal_handler_that_leaves_so_sends_the_last_interval(receiver, tmp_path):
    script = tmp_path / "app.py"
    script.write_text(WATCHDOG)
    with Program("python", script, folder=tmp_path, OTEL_EXPORTER_PRW_ENDPOINT=receiver.url, **PINNED) as program:
        program.said(r"\((ready)\)")
        assert program.end(signal.SIGTERM) == 4, program.log.read_text()
    assert total(receiver, "work_total") == 1


KILL = """
import os, signal, sys
from work import work

def leave(number):
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number) if "os.kill" in sys.argv else signal.raise_signal(number)

number = int(sys.argv[1])
work.add(1, {"in": "parent"})
if not (child := os.fork()):
    work.add(1, {"in": "child"})
    leave(number)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -number
os.kill(os.getpid(), 0)  # is no signal
signal.signal(signal.SIGUSR1, lambda *_: leave(number))
if "in a handler" in sys.argv:
    # As a handler finds it that interrupts a count.
    (storage,) = work._measurement_consumer._reader_storages.values()
    with storage._lock:
        os.kill(os.getpid(), signal.SIGUSR1)
leave(number)
"""


@pytest.fixture
def kill(receiver, tmp_path):
    """Runs the program that ends itself by a signal, in a parent and in a child."""
    script = tmp_path / "app.py"
    script.write_text(KILL)

    def kill(number, *ways, **variables):
        variables = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url, **PINNED, **variables}
        arguments = ("python", script, int(number), *ways)
        with Program(*arguments, folder=tmp_path, PYTHONWARNINGS="ignore", **variables) as program:
            assert program.end() == -number, program.log.read_text()
        assert program.log.read_text() == ""

    return kill


@pytest.mark.parametrize(("number", "way"), [(signal.SIGTERM, "os.kill"), (signal.SIGINT, "signal.raise_signal")])
def test_what_was_counted_before_a_process_kills_itself_arrives(receiver, kill, number, way):
    kill(number, way)
    assert (total(receiver, "work_total", **{"in": "parent"}), total(receiver, "work_total", **{"in": "child"})) == (
        1,
        1,
    )


def test_a_process_kills_itself_in_time_by_a_handler_that_interrupts_a_count(kill):
    kill(signal.SIGHUP, "os.kill", "in a handler", OTEL_EXPORTER_PRW_SHUTDOWN_TIMEOUT="1000")


def test_a_process_that_kills_itself_sends_nothing_where_that_is_not_wanted(receiver, kill):
    kill(signal.SIGTERM, "os.kill", OTEL_EXPORTER_PRW_DISABLE_OS_EXIT_FLUSH="true")
    assert receiver.received == []
