"""The access log that a server writes, read while it writes."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Entry = TypeVar("Entry")
TIMEOUT = 60.0
POLL = 0.02


def wait_for_entries(log: Path, parse: Callable[[str], Entry | None], at_least: int) -> list[Entry]:
    """The log's entries once there are so many, or after a while those that there are; parse leaves out by None."""
    deadline = time.monotonic() + TIMEOUT
    while len(entries := _entries(log, parse)) < at_least and time.monotonic() < deadline:
        time.sleep(POLL)
    return entries


def _entries(log: Path, parse: Callable[[str], Entry | None]) -> list[Entry]:
    complete = log.read_text().rpartition("\n")[0].splitlines() if log.exists() else []
    return [entry for line in complete if (entry := parse(line)) is not None]
