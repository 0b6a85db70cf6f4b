"""A cgroup in which the kernel's OOM killer ends what takes more memory than it may."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

_FOLDERS = (Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup"))
_LIMITS = ("memory.limit_in_bytes", "memory.max")
_LIMITS_WITH_SWAP = {"memory.memsw.limit_in_bytes": "{}", "memory.swap.max": "0"}
_COUNTS = ("memory.oom_control", "memory.events")
"""Of versions 1 and 2."""


class MemoryCgroup(NamedTuple):
    """A group of processes with a limit.

    Args:
        folder: Of the group.
    """

    folder: Path

    def command(self, words: str) -> str:
        """Return a shell's command line that runs a command in the group."""
        return f"echo $$ > {self.folder}/cgroup.procs; exec {words}"

    @property
    def kills(self) -> int:
        """How many processes the kernel has killed for want of memory."""
        (counts,) = (self.folder / name for name in _COUNTS if (self.folder / name).exists())
        return int(dict(line.split() for line in counts.read_text().splitlines())["oom_kill"])


@contextmanager
def memory_cgroup(limit: int) -> Iterator[MemoryCgroup | None]:
    """A group with a limit in bytes; None where this user may make none."""
    group = next(filter(None, (_made(parent / f"test-{uuid.uuid4().hex}", limit) for parent in _FOLDERS)), None)
    yield group
    if group:
        group.folder.rmdir()


def _made(folder: Path, limit: int) -> MemoryCgroup | None:
    try:
        folder.mkdir()
    except OSError:
        return None
    for name in filter(lambda name: (folder / name).exists(), _LIMITS):
        with suppress(OSError):
            (folder / name).write_text(str(limit))
            for swap in filter(lambda name: (folder / name).exists(), _LIMITS_WITH_SWAP):
                (folder / swap).write_text(_LIMITS_WITH_SWAP[swap].format(limit))
            return MemoryCgroup(folder)
    folder.rmdir()
    return None
