"""strace: the system calls of a process, as the kernel gets them, whatever has made them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.servers import packages
from tests.servers.fixtures import obtain
from tests.servers.package import Package, UnavailableError

MARK = "/no/such/mark"
"""A process that looks for this path divides its system calls: `os.access(MARK, 0)`."""
_PATH = re.compile(r'[<"]/')
"""A path as an argument, or as that of a descriptor. Sockets and pipes have none, and what is sent is not printed."""


def calls_with_paths(command: Sequence[str | Path], folder: Path) -> list[list[str]]:
    """Run a command, and return the system calls of all its threads and children that concern a path.

    Args:
        command: What to run; it has to succeed.
        folder: For the list.

    Returns:
        Those from one mark to the next.
    """
    package = obtain("strace", _strace)
    listed = folder / "system-calls"
    # Of a text the length alone, paths excepted; of a descriptor the path.
    options = ["--follow-forks", "--decode-fds=path", "--string-limit=0", "--quiet=all", f"--output={listed}"]
    environ = {**os.environ, **package.environment}
    subprocess.run([package.path(packages.STRACE), *options, *command], check=True, timeout=60, env=environ)
    parts: list[list[str]] = [[]]
    for line in listed.read_text(errors="replace").splitlines():
        _, call = line.split(maxsplit=1)
        if f'"{MARK}"' in call:
            parts.append([])
        elif _PATH.search(call):
            parts[-1].append(call)
    return parts


def _strace() -> Package:
    package = packages.strace()
    command = [package.path(packages.STRACE), f"--output={os.devnull}", "true"]
    tried = subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, **package.environment}
    )
    if tried.returncode:
        raise UnavailableError(f"it may not trace here: {tried.stderr.strip()}")
    return package
