"""Runs a host, and compares what arrives with the truth: a file to which every increment is appended."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from tests.application import PYTHON
from tests.end_to_end import installations
from tests.end_to_end.fleet import FOLDER, PINNED, POD, WHOLE_RUN, Program, instances, total
from tests.end_to_end.hosts.host import Arrive, End, Freeze, Host, Lines, Outcome, Requests, Settle, Signal, Tasks
from tests.servers import packages
from tests.servers.package import UnavailableError
from tests.servers.ports import free_port
from tests.servers.redis import Redis

INTERVAL = "300"  # milliseconds: exports are made before, while and after workers begin
SHUTDOWN_TIMEOUT = 5  # seconds, the default
SLACK = 1.5  # seconds for what is not ours
PATIENCE = 240  # seconds, after which something hangs
_PARTS = {"redis", "uwsgi", "pyuwsgi"}
_FAULTS = re.compile(r".*(?:Traceback|Exception ignored|Warning\b|Metrics (?!arrive)|half applied|Segmentation).*")


class HangsError(Exception):
    """Something has not happened in a long time."""


def measure(host: Host, folder: Path) -> Outcome:
    """Run a host.

    Args:
        host: The row.
        folder: An empty one for its files.

    Raises:
        UnavailableError: What it needs cannot be had here.
    """
    for need in host.needs:
        if need not in _PARTS and not find_spec(need):
            raise UnavailableError(f"{need} has no build for this Python")
    if host.tells_whole and not host.tells_last:
        # Whether the last interval arrives shows where there is no other one.
        whole, last = (_Run(host, folder / each, interval) for each, interval in [("1", INTERVAL), ("2", WHOLE_RUN)])
        first, second = whole.outcome(), last.outcome()
        return Outcome(first.tells_whole, second.tells_last, first.seconds, first.faults + second.faults, first.log)
    return _Run(host, folder / "run", INTERVAL).outcome()


class _Run:
    """One run of a host.

    Args:
        host: The row.
        folder: Is made for its files.
        interval: Milliseconds between two exports.
    """

    def __init__(self, host: Host, folder: Path, interval: str):
        self._host = host
        self._folder = folder
        self._truth = folder / "truth"
        self._interval = interval
        self._tells_whole = True
        self._seconds = 0.0
        self._faults: list[str] = []

    def outcome(self) -> Outcome:
        self._folder.mkdir(parents=True)
        self._truth.touch()
        with ExitStack() as stack:
            self._receiver = stack.enter_context(Receiver(answers=self._answer))
            self._variables = {
                "OTEL_EXPORTER_PRW_ENDPOINT": self._receiver.url,
                "OTEL_EXPORTER_PRW_INTERVAL": self._interval,
                "TRUTH": str(self._truth),
                "FOLDER": str(self._folder),
                # Nothing is lost on a machine that is busy; how long the end takes is measured.
                "OTEL_EXPORTER_PRW_SHUTDOWN_TIMEOUT": "60000",
                **PINNED,
                **self._host.variables,
            }
            if "redis" in self._host.needs:
                self._variables["REDIS_PORT"] = str(stack.enter_context(Redis(packages.redis())).port)
            fields = {"port": free_port(), "folder": self._folder, "home": PYTHON.parent.parent}
            for package in {"uwsgi", "pyuwsgi"}.intersection(self._host.needs):
                fields["uwsgi"], modules = _uwsgi(package)
                self._variables["PYTHONPATH"] = os.pathsep.join(map(str, (FOLDER, modules)))
            filled = [part.format(**fields) for part in self._host.command]
            began = time.monotonic()
            self._program = stack.enter_context(Program(*filled, folder=self._folder, **self._variables))
            try:
                self._address = f"http://{self._said(self._host.ready).removeprefix('http://')}"
                self._wait((self._folder / self._host.pid_file).exists, "it is detached")
                if not self._host.ready:
                    self._wait(self._counted, "it counts")
                self._start = time.monotonic() - began
                for step in self._host.steps:
                    self._act(step)
            except HangsError as error:
                self._faults.append(f"hangs: {error}")
            self._look()
            tells_last = total(self._receiver, "work_total") == self._counted()
        return Outcome(self._tells_whole, tells_last, self._seconds, tuple(self._faults), self._log())

    def _answer(self, _request: object) -> ScriptedAnswer:
        return ScriptedAnswer(delay=self._host.delay)

    def _act(self, step: object) -> None:
        match step:
            case Requests():
                self._request(step.count)
            case Tasks():
                self._hand_over(step.count)
            case Lines():
                self._write(step.count)
            case Arrive() if self._interval != WHOLE_RUN:
                self._tells_whole &= self._arrives()
            case Signal():
                before = len(self._log())
                os.kill(self._pid(), step.number)
                self._said(step.says, before)
            case Settle():
                self._wait(lambda: self._settled(step), "as many workers have come as have left")
            case Freeze():
                os.killpg(self._program.process.pid, signal.SIGSTOP)
                time.sleep(step.seconds)
                os.killpg(self._program.process.pid, signal.SIGCONT)
            case End():
                self._end(step.number)

    def _request(self, count: int) -> None:
        answered: set[bytes] = set()
        sent = 0
        deadline = time.monotonic() + PATIENCE
        while sent < count or len(answered) < self._host.workers:
            if time.monotonic() > deadline:
                raise HangsError(f"only {len(answered)} workers answer")
            try:
                with urlopen(self._address, timeout=PATIENCE) as response:
                    answered.add(response.read())
                sent += 1
            except URLError:  # some say too early that they are ready
                time.sleep(0.05)

    def _hand_over(self, count: int) -> None:
        wanted = self._counted() + count
        variables = {**self._variables, "OTEL_SDK_DISABLED": "true"}
        folder = self._folder / f"client-{wanted}"
        folder.mkdir()
        with Program("python", *self._host.client, count, folder=folder, launcher=False, **variables) as client:
            if client.end(timeout=PATIENCE):
                raise HangsError(f"the client failed: {client.log.read_text()}")
        self._wait(lambda: self._counted() >= wanted, "the tasks are done")

    def _write(self, count: int) -> None:
        stdin = self._program.process.stdin
        for _ in range(count):
            wanted = self._counted() + 1
            stdin.write("\n")
            stdin.flush()
            self._wait(lambda wanted=wanted: self._counted() >= wanted, "a line is read")

    def _settled(self, step: Settle) -> bool:
        log = self._log()
        return len(re.findall(step.comes, log)) == self._host.workers + len(re.findall(step.leaves, log))

    def _arrives(self) -> bool:
        with suppress(HangsError):
            self._wait(lambda: total(self._receiver, "work_total") >= self._counted(), "it arrives")
        return total(self._receiver, "work_total") == self._counted()

    def _end(self, number: int | None) -> None:
        pid = self._pid()
        began = time.time()
        if number is None:
            self._program.process.stdin.close()
        else:
            os.kill(pid, number)
        self._wait(lambda: not _lives(pid), "all of its processes have ended", runs=False)
        # One that ends by itself does so after its last increment.
        self._seconds = time.time() - (began if number else self._truth.stat().st_mtime)
        # Beside what is promised: how long the start took tells how busy the machine is, and several processes end.
        # What ends by itself works on after its last increment, nobody knows how long.
        if number and self._seconds > SHUTDOWN_TIMEOUT + SLACK + self._host.lingers + 4 * self._start:
            self._faults.append(f"took {self._seconds:.1f} seconds to end, and {self._start:.1f} to start")
        status = self._program.process.wait(PATIENCE)
        if self._host.status not in {status, None}:
            self._faults.append(f"ended with status {status}")

    def _pid(self) -> int:
        """The process that signals go to, which leads a group."""
        if not self._host.pid_file:
            return self._program.process.pid
        return int((self._folder / self._host.pid_file).read_text())

    def _look(self) -> None:
        """Look for what must not be."""
        if self._receiver.rejected:
            self._faults.append(f"refused: {self._receiver.rejected[0]}")
        for series in self._receiver.series("writer"):
            writers = [process for process, _ in groupby(series.samples, key=lambda sample: sample.value)]
            if len(writers) > len(set(writers)):
                self._faults.append(f"{series.label('instance')} is written by turns: {writers}")
        if in_hand := total(self._receiver, "in_hand"):
            self._faults.append(f"{in_hand} are in hand at the end")
        names = instances(self._receiver, "work_total")
        numbered = {POD, *(f"{POD}-{number}" for number in range(1, self._host.instances))}
        if self._variables.items() >= PINNED.items() and not names <= numbered:
            self._faults.append(f"the instances are {sorted(names)}")
        log = self._log()
        for pattern in self._host.noise:
            log = re.sub(pattern, "", log)
        self._faults += [f"says {line.strip()}" for line in dict.fromkeys(_FAULTS.findall(log))]

    def _counted(self) -> int:
        return self._truth.stat().st_size

    def _log(self) -> str:
        return self._program.log.read_text(errors="replace")

    def _said(self, pattern: str, since: int = 0, *, runs: bool = True) -> str:
        if not pattern:
            return ""
        self._wait(lambda: re.search(pattern, self._log()[since:]), f"it says {pattern}", runs=runs)
        found = re.search(pattern, self._log()[since:])
        return found[1] if found and found.groups() else ""

    def _has_ended(self) -> bool:
        return not self._host.pid_file and self._program.process.poll() is not None

    def _wait(self, condition: Callable[[], object], what: str, *, runs: bool = True) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if runs and self._has_ended() and not condition():
                raise HangsError(f"it ended before {what}: {self._log()[-2000:]}")
            if time.monotonic() > deadline:
                raise HangsError(f"waited in vain until {what}: {self._log()[-2000:]}")
            time.sleep(0.05)


def _uwsgi(package: str) -> tuple[Path, Path]:
    """Return uWSGI, which is compiled once, and the folder with its modules.

    Args:
        package: The one that it comes in.

    Raises:
        UnavailableError: It cannot be installed here.
    """
    try:
        python = installations.python_with(package)
    except RuntimeError as error:
        raise UnavailableError(f"{package} cannot be installed: {str(error)[-300:]}") from error
    (modules,) = python.parents[1].glob("lib/python*/site-packages")
    return python.with_name(package), modules


def _lives(group: int) -> bool:
    """Return whether a process of a group or of its session runs; one that nobody has waited for does not."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _parent, its_group, session = status.read_text().rpartition(")")[2].split()[:4]
            if group in {int(its_group), int(session)} and state != "Z":
                return True
    return False
