"""Four workers with one buffer directory, and whatever may happen to them: python -m tests.soak.chaos [--rounds N].

In each round the receiver is killed; meanwhile a worker is killed with SIGKILL, and another ended with SIGTERM, both at
random moments; in some rounds the disk is full, or a page of a file is overwritten; all start again, and sometimes a
worker is killed while it delivers what had waited.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers import packages
from tests.servers.prometheus import Prometheus
from tests.soak.disk import Disk
from tests.soak.witness import Refusal, Witness

WORKERS = 4
PATIENCE = 120.0  # seconds for everything to arrive in the end


@dataclass
class Life:
    """One process of a worker, and what it said.

    Attributes:
        worker: Its number.
        number: Which of the worker's lives it is.
        lines: What it said of its exports.
        log: What the exporter logged.
        killed: When it was killed, in seconds since the epoch; None where it ended by itself.
        gone: When it was not there any more, in seconds since the epoch.
        disk_was_full: Whether what it had waiting when it was killed may have found no room.
    """

    worker: int
    number: int
    process: subprocess.Popen[str]
    lines: list[dict] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    killed: float | None = None
    gone: float = math.inf
    disk_was_full: bool = False

    @property
    def name(self) -> str:
        return f"{self.worker}-{self.number}"

    def read(self) -> None:
        """Read what it says until it ends."""
        with self.process.stdout as lines:
            for line in lines:
                try:
                    said = json.loads(line)
                except ValueError:  # killed in the middle of it
                    continue
                if "log" in said:
                    self.log.append(said["log"])
                elif "told" in said:
                    self.lines.append(said)


@dataclass
class Report:
    """What has become of it all."""

    rounds: int = 0
    workers_killed: int = 0
    workers_ended: int = 0
    receiver_killed: int = 0
    disk_full: int = 0
    pages_corrupted: int = 0
    exports: int = 0
    samples: int = 0
    bytes: int = 0
    most_on_disk: int = 0
    repeated_after_kill: int = 0
    repeated_after_corruption: int = 0
    refused_after_corruption: int = 0
    refused_when_gone: int = 0
    lost_with_disk: int = 0
    faults: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The numbers, as they are printed."""
        return [
            f"rounds: {self.rounds}",
            f"kills: {self.workers_killed} of workers by SIGKILL, {self.receiver_killed} of Prometheus",
            f"orderly ends of workers: {self.workers_ended}",
            f"full disks: {self.disk_full}",
            f"pages overwritten: {self.pages_corrupted}",
            f"exports that returned: {self.exports}",
            f"accepted: {self.samples} samples, {self.bytes} bytes",
            f"on disk at most: {self.most_on_disk} bytes",
            f"samples sent again because their sender was killed in between: {self.repeated_after_kill}",
            f"samples sent again because the page that said so was overwritten: {self.repeated_after_corruption}",
            f"requests refused when their sender had ended: {self.refused_when_gone}",
            f"requests refused of workers of whose files a page had been overwritten: {self.refused_after_corruption}",
            f"exports lost with a page or for want of room: {self.lost_with_disk}",
        ]


class Chaos:
    """The workers, and what is done to them.

    Args:
        prometheus: Runs; it is killed and started again.
        folder: For everything else.
        seed: Of all that is random.
        say: Told of each round.
    """

    def __init__(self, prometheus: Prometheus, folder: Path, seed: int, say: Callable[[str], object] = print):
        self._prometheus = prometheus
        self._folder = folder
        self._chance = random.Random(seed)
        self._say = say
        self._lives: list[Life] = []
        self._readers: list[threading.Thread] = []
        self._corrupted: list[tuple[str, float]] = []
        self._report = Report()
        self._freed = 0.0  # when there was room on the disk again

    @property
    def refusals(self) -> list[Refusal]:
        """What the receiver has refused."""
        return self._witness.refusals

    def run(self, rounds: int) -> Report:
        """Let it happen so often, and return what has become of it."""
        with Disk(self._folder / "disk") as self._disk, Witness(self._prometheus.write_url) as self._witness:
            try:
                for worker in range(WORKERS):
                    self._start(worker)
                self._wait_until(lambda: all(life.lines for life in self._living()), "a worker does not export")
                for _ in range(rounds):
                    self._round()
                self._end()
            finally:
                for life in self._living():
                    life.process.kill()
                for reader in self._readers:
                    reader.join()
                for life in self._lives:
                    life.process.wait()
            self._judge()
        return self._report

    # --- what happens ---

    def _round(self) -> None:
        report, chance = self._report, self._chance
        report.rounds += 1
        self._prometheus.kill()
        report.receiver_killed += 1
        is_full = chance.random() < 0.3 and self._pause(0.5) and self._disk.fill()
        report.disk_full += is_full
        killed, ended = chance.sample(self._living(), 2)
        self._pause(1.0)
        self._kill(killed, disk_is_full=is_full)
        if is_full and chance.random() < 0.5:
            self._free()
            is_full = False
        self._pause(0.5)
        ended.process.send_signal(signal.SIGTERM)
        ended.process.wait(60)
        ended.gone = time.time()
        ended.disk_was_full = is_full
        report.workers_ended += 1
        if chance.random() < 0.3:
            self._corrupt()
        self._start(killed.worker)
        self._pause(0.7)
        self._start(ended.worker)
        report.most_on_disk = max(report.most_on_disk, self._disk.bytes)
        self._pause(1.5)
        if is_full:
            self._free()
        before = self._witness.samples
        self._prometheus.start()
        if chance.random() < 0.5:  # else they may not come to deliver anything before the next round
            self._wait_until(lambda: self._witness.samples > before, "nothing arrives")
        if chance.random() < 0.5:
            victim = chance.choice(self._living())
            self._pause(0.6)
            self._kill(victim, disk_is_full=False)
            self._start(victim.worker)
        self._pause(2.0)
        self._say(
            f"round {report.rounds}: {report.workers_killed} workers killed, {self._witness.samples} samples, "
            f"{len(self._witness.refusals)} refusals, {self._disk.bytes} bytes on disk"
        )

    def _free(self) -> None:
        self._disk.free()
        self._freed = time.time()

    def _pause(self, longest: float) -> bool:
        time.sleep(self._chance.uniform(0, longest))
        return True

    def _kill(self, life: Life, *, disk_is_full: bool) -> None:
        life.process.kill()
        life.process.wait()
        life.killed = life.gone = time.time()
        # An export that began after there was room again has put on disk what had found none; the first may have begun
        # before.
        began_since = sum(line["at"] > self._freed for line in life.lines) - 1
        life.disk_was_full = disk_is_full or (life.lines and life.lines[0]["at"] < self._freed and began_since < 1)
        self._report.workers_killed += 1

    def _corrupt(self) -> None:
        if writer := self._disk.corrupt(self._chance):
            self._corrupted.append((writer, time.time()))
            self._report.pages_corrupted += 1

    def _start(self, worker: int) -> None:
        number = sum(life.worker == worker for life in self._lives)
        words = ["tests.soak.worker", self._witness.url, str(self._disk.path), str(worker), str(number)]
        process = subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.PIPE, text=True)
        life = Life(worker, number, process)
        self._lives.append(life)
        self._readers.append(threading.Thread(target=life.read))
        self._readers[-1].start()

    def _living(self) -> list[Life]:
        return [life for life in self._lives if life.process.poll() is None]

    def _end(self) -> None:
        """Give everything its time to arrive, and end the workers."""
        started = {life.name: len(life.lines) for life in self._living()}
        self._wait_until(
            lambda: (
                all(len(life.lines) > started[life.name] + 2 for life in self._living())
                and not [*self._disk.path.glob("prw-*.db")]
            ),
            "something is still on disk",
        )
        for life in self._living():
            life.process.send_signal(signal.SIGTERM)
            life.process.wait(60)
            self._report.workers_ended += 1

    def _wait_until(self, is_so: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            if time.monotonic() > deadline:
                self._report.faults.append(otherwise)
                return
            time.sleep(0.1)

    # --- what has become of it ---

    def _judge(self) -> None:
        report, witness = self._report, self._witness
        report.log = [f"{life.name}: {line}" for life in self._lives for line in life.log]
        report.exports = sum(len(life.lines) for life in self._lives)
        report.samples, report.bytes = witness.samples, witness.bytes
        for worker in range(WORKERS):
            self._judge_worker(worker)
        spoilt = self._workers_with_corrupted_files()
        for refusal in witness.refusals:
            (life,) = (life for life in self._lives if life.name == refusal.sender)
            if refusal.at > life.gone:  # it was under way when its sender ended, and came after what the next one sent
                report.refused_when_gone += 1
            elif any(f'instance="worker-{worker}"' in refusal.said for worker in spoilt):
                report.refused_after_corruption += 1
            else:
                report.faults.append(f"refused: {refusal}")
        for repeat in witness.repeats:
            if self._is_killed_before_it_knew(repeat.first, repeat.accepted):
                report.repeated_after_kill += 1
            elif int(repeat.first.partition("-")[0]) in spoilt:
                report.repeated_after_corruption += 1
            else:
                report.faults.append(f"sent again to no avail: {repeat}")
        logged = [
            f"{life.name}: {line}" for life in self._lives for line in life.log if "internal exporter error" in line
        ]
        report.faults += logged

    def _judge_worker(self, worker: int) -> None:
        selector = f'instance="worker-{worker}"'
        (progress,) = self._prometheus.range_vector(f"chaos_progress{{{selector}}}[1d]")
        arrived = set(progress.values)
        lives = [life for life in self._lives if life.worker == worker]
        for life in lives:
            for line in life.lines:
                if line["told"] in arrived:
                    continue
                # A page of a write-ahead log that is overwritten takes with it what is written after it, too.
                if life.disk_was_full or any(
                    writer == line["writer"] and life.lines[0]["at"] < at for writer, at in self._corrupted
                ):
                    self._report.lost_with_disk += 1
                else:
                    self._report.faults.append(f"{life.name} exported {line['told']}, which has not arrived: {line}")
        last = lives[-1].lines[-1]
        if progress.values[-1] != last["told"]:
            self._report.faults.append(f"the last of worker {worker} is {progress.values[-1]}, not {last['told']}")
        for series in self._prometheus.range_vector(f"chaos_ticks_total{{{selector}}}[1d]"):
            expected = last["counted"][series.labels["stream"]]
            if series.values[-1] < expected:  # it counts on while it exports
                self._report.faults.append(f"{series.labels} ends with {series.values[-1]}, not {expected}")

    def _workers_with_corrupted_files(self) -> set[int]:
        writers = {writer for writer, _ in self._corrupted}
        return {life.worker for life in self._lives if any(line["writer"] in writers for line in life.lines)}

    def _is_killed_before_it_knew(self, sender: str, accepted: float) -> bool:
        """Whether the sender of a sample was killed in the very export in which that was accepted."""
        (life,) = (life for life in self._lives if life.name == sender)
        return life.killed is not None and not any(line["at"] > accepted for line in life.lines)


def main() -> None:
    """Run it with a Prometheus of now, and print what has become of it."""
    parser = argparse.ArgumentParser(prog="tests.soak.chaos")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    with Prometheus(packages.prometheus_current()) as prometheus, tempfile.TemporaryDirectory() as folder:
        print(f"Prometheus {prometheus.version}, {WORKERS} workers, seed {arguments.seed}", flush=True)
        chaos = Chaos(prometheus, Path(folder), arguments.seed, lambda text: print(text, flush=True))
        report = chaos.run(arguments.rounds)
    print("\n".join(report.lines()))
    for refusal in chaos.refusals[:20]:
        print(f"refused: {refusal}")
    if report.faults:
        sys.exit("\n".join(["FAILED", *report.faults[:20], "of the log:", *report.log[-50:]]))
    print("as it should be")


if __name__ == "__main__":
    main()
