"""A process of its own, with an environment that holds nothing but what a test says."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from tests.servers.ports import accepts

PYTHON = Path(sys.executable)  # of the virtual environment, not resolved
LAUNCHER = "opentelemetry-instrument"
# The time at the exit where a test is about what arrives, not about how long the exit takes: a busy machine needs it.
AMPLE = {"OTEL_EXPORTER_PRW_SHUTDOWN_TIMEOUT": "60000"}


class Ended(NamedTuple):
    """How a process ended; its errors are lines."""

    status: int
    output: str
    errors: list[str]


def run(*command: str | Path, cwd: Path, python: Path = PYTHON, user: int | None = None, **variables: str) -> Ended:
    """Run a command to its end.

    Args:
        command: A command of the virtual environment, and its arguments.
        cwd: Where to run it; nothing is imported from the checkout that is not installed.
        python: The interpreter of the virtual environment.
        user: The id of the user and the group that it runs as; ours if not given.
        variables: All that its environment holds beside PATH and ample time at the exit.
    """
    environment = {"PATH": os.pathsep.join([str(python.parent), os.defpath]), **AMPLE, **variables}
    done = subprocess.run(
        [str(python.parent / command[0]), *map(str, command[1:])],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,  # of a hang; a busy machine takes its time
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )
    return Ended(done.returncode, done.stdout, done.stderr.splitlines())


def wait_until_it_serves(process: subprocess.Popen[bytes], port: int, seconds: float = 120) -> None:
    """Return when the process listens on the port; it fails if the process ends first, or takes too long."""
    deadline = time.monotonic() + seconds
    while not accepts(port):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"nobody listens on port {port}; the process's status is {process.wait()}")
        time.sleep(0.05)
