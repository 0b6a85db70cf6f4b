"""Our buffer beside vmagent's queue on disk, in the same kill test: python -m tests.soak.queues [--rounds N].

In each round the receiver, a Prometheus that takes samples in order alone, is killed; one sample of a series is handed
over after the other; who is to deliver them is killed by SIGKILL at a random moment; both start again, and all has its
time to arrive. What counts is what was handed over: an export that has returned, or a push that vmagent has answered
with 204.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from opentelemetry.sdk.metrics.export import MetricExportResult

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.version import __version__
from tests.collected import collected, gauge, point
from tests.receivers.build import built
from tests.receivers.programs import VMAGENT
from tests.servers import packages
from tests.servers.http_client import answers
from tests.servers.ports import LOOPBACK
from tests.servers.prometheus import Prometheus
from tests.servers.server import Server
from tests.soak.witness import Witness

PATIENCE = 60.0  # seconds for what was handed over to arrive after a round
BETWEEN = 0.1  # seconds between two samples


class Ours:
    """A process that exports what stdin says, with a buffer directory."""

    name = f"this exporter {__version__}"

    def __init__(self, url: str, folder: Path):
        self._words = [sys.executable, "-m", "tests.soak.queues", "--export", url, str(folder / "ours")]
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def hand_over(self, value: int) -> bool:
        self._process.stdin.write(f"{value}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline() == f"{value}\n"

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def close(self) -> None:
        self.kill()


class VmAgent(Server):
    """A vmagent with its defaults, and an exporter without a buffer that pushes to it."""

    name = f"vmagent {VMAGENT.release}"
    flags: tuple[str, ...] = ()

    def __init__(self, url: str, folder: Path):
        super().__init__(built(VMAGENT))
        self._url, self._data = url, folder / "vmagent"
        self._exporter = PrometheusRemoteWriteMetricsExporter(
            f"{self.url}/api/v1/write", disable_target_info=True, disable_scope_labels=True, protocol="1.0"
        )

    def hand_over(self, value: int) -> bool:
        return self._exporter.export(measured(value)) is MetricExportResult.SUCCESS

    def close(self) -> None:
        self._exporter.shutdown()
        super().close()

    def _prepare(self) -> list[str]:
        return [
            str(self.package.path("usr/bin/vmagent")),
            f"-httpListenAddr={LOOPBACK}:{self.port}",
            f"-remoteWrite.url={self._url}",
            f"-remoteWrite.tmpDataPath={self._data}",
            "-remoteWrite.headers=X-Worker:vmagent",
            "-remoteWrite.forcePromProto",
            *self.flags,
        ]

    def _is_ready(self) -> bool:
        return answers(f"{self.url}/health")


class OrderlyVmAgent(VmAgent):
    """The same with one queue."""

    name = f"{VmAgent.name}, `-remoteWrite.queues=1`"
    flags = ("-remoteWrite.queues=1",)


def measured(value: int):
    """What was collected: one sample of one series, of now."""
    return collected(gauge(point(float(value), at=round(time.time() * 1000))), resource={"service.name": "queues"})


def export(url: str, folder: str) -> None:
    """Export what stdin says, and say of each export that it has returned."""
    exporter = PrometheusRemoteWriteMetricsExporter(
        url,
        buffer_directory=folder,
        disable_target_info=True,
        disable_scope_labels=True,
        min_backoff=60_000,
        max_backoff=60_000,
        headers={"X-Worker": "ours"},
    )
    for line in sys.stdin:
        exporter.export(measured(int(line)), timeout_millis=1000 * PATIENCE)
        print(line, end="", flush=True)


@dataclass
class Outcome:
    """What has become of what was handed over."""

    name: str
    handed_over: int = 0
    lost: int = 0
    repeated: int = 0
    refused: int = 0

    def row(self) -> str:
        """A row of the table in the docs."""
        return f"| {self.name} | {self.handed_over} | {self.lost} | {self.repeated} | {self.refused} |"


def kill_test(kind: type[Ours | VmAgent], rounds: int, seed: int) -> Outcome:
    """Let one of them have so many rounds."""
    chance = random.Random(seed)
    outcome = Outcome(kind.name)
    with _servers() as (prometheus, witness, folder):
        subject = kind(witness.url, folder)
        try:
            subject.start()
            value = 0
            handed_over: list[int] = []
            for _ in range(rounds):
                prometheus.kill()
                for _ in range(chance.randrange(20, 200)):
                    value += 1
                    if subject.hand_over(value):
                        handed_over.append(value)
                    time.sleep(BETWEEN)
                subject.kill()
                prometheus.start()
                subject.start()
                value += 1
                if subject.hand_over(value):
                    handed_over.append(value)
                _wait_for(prometheus, handed_over)
            outcome.handed_over = len(handed_over)
            outcome.lost = len({*handed_over} - _arrived(prometheus))
            outcome.repeated, outcome.refused = len(witness.repeats), len(witness.refusals)
        finally:
            subject.close()
    return outcome


@contextmanager
def _servers() -> Iterator[tuple[Prometheus, Witness, Path]]:
    with (
        Prometheus(packages.prometheus_current()) as prometheus,
        Witness(prometheus.write_url) as witness,
        tempfile.TemporaryDirectory() as folder,
    ):
        yield prometheus, witness, Path(folder)


def _wait_for(prometheus: Prometheus, values: list[int]) -> None:
    """Wait until all has arrived, or the last one and no more for some seconds."""
    deadline = time.monotonic() + PATIENCE
    grown_at, before = time.monotonic(), 0
    while time.monotonic() < deadline:
        arrived = _arrived(prometheus)
        if {*values} <= arrived or (values[-1] in arrived and time.monotonic() - grown_at > 10):
            return
        if len(arrived) > before:
            grown_at, before = time.monotonic(), len(arrived)
        time.sleep(0.2)


def _arrived(prometheus: Prometheus) -> set[int]:
    return {
        int(value)
        for series in prometheus.range_vector('{__name__=~"level.*", job="queues"}[1d]')
        for value in series.values
    }


def main() -> None:
    """Print a row for each."""
    parser = argparse.ArgumentParser(prog="tests.soak.queues")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--export", nargs=2)
    arguments = parser.parse_args()
    if arguments.export:
        export(*arguments.export)
        return
    print("| | handed over | lost | sent again | refused |\n| --- | ---: | ---: | ---: | ---: |", flush=True)
    for kind in (Ours, VmAgent, OrderlyVmAgent):
        print(kill_test(kind, arguments.rounds, arguments.seed).row(), flush=True)


if __name__ == "__main__":
    main()
