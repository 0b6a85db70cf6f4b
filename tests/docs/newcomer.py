"""Somebody who types what the pages say: a clone, a virtual environment, an installation, and commands in it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.docs.pages import CHECKOUT

PUBLISHED = "https://git.example/opentelemetry-exporter-prometheus-remote-write"
_LEFT_OUT = shutil.ignore_patterns(".*", "_build", "__pycache__", "dist")


class Newcomer:
    """Runs commands of the pages as they are written.

    Args:
        folder: Of their own.
    """

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / PUBLISHED.rpartition("/")[2]
        self._folder = folder
        self._environment = {
            "PATH": os.pathsep.join(
                [str(self.checkout / ".venv" / "bin"), str(_with_python3(folder)), os.environ["PATH"]]
            ),
            "HOME": str(folder),
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{_repository(folder / 'published')}.insteadOf",
            "GIT_CONFIG_VALUE_0": PUBLISHED,
            **{name: value for name, value in os.environ.items() if name.startswith("PIP_") or _is_proxy(name)},
        }

    def type(self, block: str, folder: Path | None = None) -> str:
        """Run a whole block in a shell, which ends at the first command that fails; returns what it printed."""
        done = subprocess.run(
            ["sh", "-eu"],
            input=block,
            cwd=folder or self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def start(self, command: str, folder: Path, log: Path, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a command that stays, in a process group of its own; its output goes to the log."""
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["sh", "-c", f"exec env {command}"],
                cwd=folder,
                env={**self._environment, "PYTHONUNBUFFERED": "1", **variables},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - before exec
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(pattern: str, log: Path, process: subprocess.Popen[bytes], seconds: float = 60) -> re.Match[str]:
    """Return what the pattern matches in a log, once it does."""
    deadline = time.monotonic() + seconds
    while not (found := re.search(pattern, log.read_text(errors="replace"))):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    return found


def interrupt(process: subprocess.Popen[bytes]) -> int:
    """End a command as Ctrl-C does; returns its exit status."""
    process.send_signal(signal.SIGINT)
    return process.wait(timeout=60)


def _repository(folder: Path) -> Path:
    """What a clone of the checkout would be, with all that is not committed yet."""
    shutil.copytree(CHECKOUT, folder, ignore=_LEFT_OUT, symlinks=True)
    author = ["-c", "user.name=Tests", "-c", "user.email=tests@example.com"]
    for command in (["init", "--quiet"], ["add", "--all"], [*author, "commit", "--quiet", "--message", "All"]):
        subprocess.run(["git", *command], cwd=folder, env=_without_git(os.environ), check=True)
    return folder


def _with_python3(folder: Path) -> Path:
    """A folder in which python3 is the interpreter that runs the tests."""
    programs = folder / "bin"
    programs.mkdir()
    (programs / "python3").symlink_to(Path(getattr(sys, "_base_executable", sys.executable)))
    return programs


def _without_git(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith("GIT_")}


def _is_proxy(name: str) -> bool:
    return name.lower().endswith("_proxy") or name in {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"}
