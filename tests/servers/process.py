"""One server process: started, waited for until it serves, and stopped with all its children."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

START_TIMEOUT = 120.0  # a busy machine takes its time
STOP_TIMEOUT = 60.0
POLL = 0.02
LOG_LINES_IN_ERRORS = 30


class ServerFailedError(Exception):
    """A server did not come up; the message ends with the last lines of its log."""


class ServerProcess:
    """A command that serves once ready() says so; it can be stopped or killed, and started again."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        ready: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
    ):
        self._command = [*_bound_to_our_life(), *command]
        self._name = Path(command[0]).name
        self._log = log
        self._ready = ready
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the process has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The number of the running process."""
        return self._process.pid if self._process else None

    @property
    def log(self) -> str:
        """Everything the server has printed since its first start."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def start(self, timeout: float = START_TIMEOUT) -> None:
        """Starts the process and returns when it serves."""
        if self.running:
            raise RuntimeError(f"{self._name} is running already")
        with self._log.open("ab") as log:
            # A process group of its own: whatever the server has forked is stopped with it, and a Ctrl-C at the
            # terminal reaches the tests first.
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                cwd=self._log.parent,  # a server may write into its working folder
                start_new_session=True,
            )
        try:
            self._wait_until_ready(time.monotonic() + timeout, timeout)
        except BaseException:
            self.kill()
            raise

    def stop(self, timeout: float = STOP_TIMEOUT) -> None:
        """Asks the server to end, and kills it if it does not; harmless when it has ended."""
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)
        self.kill()

    def kill(self) -> None:
        """Ends the server and its children at once, as a crash would."""
        if self._process is None:
            return
        _kill_group(self._process.pid)
        self._process.wait()
        self._process = None

    def _wait_until_ready(self, deadline: float, timeout: float) -> None:
        while not self._ready():
            if not self.running:
                raise ServerFailedError(f"{self._name} ended before it served:\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise ServerFailedError(f"{self._name} does not serve after {timeout:g} s:\n{self._log_tail()}")
            time.sleep(POLL)

    def _log_tail(self) -> str:
        return "\n".join(self.log.splitlines()[-LOG_LINES_IN_ERRORS:])


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # all gone; macOS says the latter when only a zombie is left
        os.killpg(leader, signal.SIGKILL)


def _bound_to_our_life() -> list[str]:
    """A prefix with which Linux ends the server even when the tests are killed and cannot do it.

    A server that changes its user, as squid under root, is out of its reach.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
