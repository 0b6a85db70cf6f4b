"""A turn at the disk, for which forks wait: SQLite has locks of its own, which a child must not inherit locked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...system.fork_pause import ForkPause

_forks = ForkPause()


@contextmanager
def disk_turn() -> Iterator[None]:
    """Make forks wait while SQLite is in use.

    Raises:
        OSError: This process was forked without waiting for that.
    """
    with _forks.work():
        if _forks.broke_in:
            raise OSError("this process was forked while its parent wrote to the disk")
        yield
