"""A turn at the disk, for which forks wait: SQLite has locks of its own, which a child must not inherit half taken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..system.fork_pause import ForkPause

_forks = ForkPause()


@contextmanager
def disk_turn() -> Iterator[None]:
    """Have forks wait while SQLite is used.

    Raises:
        OSError: This process was forked where that had not been waited for.
    """
    with _forks.work():
        if _forks.broke_in:
            raise OSError("this process was forked while its parent wrote to the disk")
        yield
