"""A function that is frozen between its invocations, as on AWS Lambda, simulated by SIGSTOP and SIGCONT.

Lambda's own instrumentation calls force_flush after each invocation, and so does this function. By hand, with two
minutes: FROZEN_SECONDS=120 pytest tests/end_to_end/test_lambda.py
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from tests.end_to_end.relay import Relay

FROZEN = float(os.environ.get("FROZEN_SECONDS", "0"))
FUNCTION = """
import sys
from opentelemetry import metrics
invocations = metrics.get_meter("function").create_counter("invocations")
for line in sys.stdin:
    invocations.add(1)
    metrics.get_meter_provider().force_flush(120_000)
    print("done", flush=True)
"""


class Function:
    """Runs inside a with block; its environment says one push, at the end, and where to keep what cannot be sent."""

    def __init__(self, url, folder, **variables):
        environ = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
            "OTEL_SERVICE_NAME": "function",
            "OTEL_RESOURCE_ATTRIBUTES": "service.instance.id=one",
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "system_metrics",
            "OTEL_EXPORTER_PRW_ENDPOINT": url,
            "OTEL_EXPORTER_PRW_INTERVAL": "0",
            "OTEL_EXPORTER_PRW_BUFFER_DIRECTORY": str(folder),
            "OTEL_EXPORTER_PRW_MIN_BACKOFF": "60000",
            "OTEL_EXPORTER_PRW_MAX_BACKOFF": "60000",
            **variables,
        }
        words = ["opentelemetry-instrument", sys.executable, "-c", FUNCTION]
        self.process = subprocess.Popen(words, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def invoke(self) -> None:
        """Invoke it, and wait until it is done."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)

    def thaw(self) -> None:
        time.sleep(FROZEN)
        self.process.send_signal(signal.SIGCONT)


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def relay(receiver):
    with Relay("127.0.0.1", receiver.port) as relay:
        yield relay


def counted(receiver):
    return [value for value in receiver.values("invocations_total") if value]


def test_each_flush_sends_within_its_invocation(receiver, tmp_path):
    with Function(receiver.url, tmp_path / "buffer") as function:
        for number in range(1, 4):
            function.invoke()
            assert counted(receiver) == list(range(1, number + 1))
            function.freeze()
            function.thaw()
    assert not (tmp_path / "buffer").exists()


@pytest.mark.parametrize("dies", [Relay.close, Relay.reset], ids=["closed", "reset"])
def test_a_connection_that_died_in_the_freeze_costs_no_invocation_its_metrics(receiver, relay, tmp_path, dies):
    """There is no retry here that waits: the first backoff is a minute."""
    with Function(relay.url, tmp_path / "buffer") as function:
        function.invoke()
        function.freeze()
        dies(relay)
        function.thaw()
        function.invoke()
    assert counted(receiver) == [1, 2]
    assert relay.accepted == 2


@pytest.mark.skipif(FROZEN <= 90, reason="a connection that is silent is not used again after 90 s: FROZEN_SECONDS=120")
def test_a_connection_that_fell_silent_in_a_long_freeze_is_not_used_again(receiver, relay, tmp_path):
    with Function(relay.url, tmp_path / "buffer") as function:
        function.invoke()
        function.freeze()
        relay.fall_silent()
        function.thaw()
        function.invoke()
    assert counted(receiver) == [1, 2]


def test_what_an_invocation_could_not_send_goes_with_the_next(tmp_path):
    answers = iter([None, ScriptedAnswer(503)])
    with (
        Receiver(answers=lambda _: next(answers, None)) as receiver,
        Function(receiver.url, tmp_path / "buffer") as function,
    ):
        function.invoke()
        function.invoke()
        assert list((tmp_path / "buffer").glob("*.db"))
        function.freeze()
        function.thaw()
        function.invoke()
        assert counted(receiver) == [1, 2, 3]


def test_what_a_function_could_not_send_before_it_was_killed_goes_with_the_next_in_its_place(tmp_path):
    """As where an invocation takes too long: the runtime is killed, and starts again with the same /tmp."""
    answers = iter([None, ScriptedAnswer(503)])
    with Receiver(answers=lambda _: next(answers, None)) as receiver:
        with Function(receiver.url, tmp_path / "buffer") as function:
            function.invoke()
            function.invoke()
            function.freeze()
        with Function(receiver.url, tmp_path / "buffer") as function:
            function.invoke()
        assert counted(receiver) == [1, 2, 1]
        assert receiver.rejected == [] or all(each.status == 503 for each in receiver.rejected)
