"""The buffer on disk: a backlog survives the end of its process there, and others take over what processes left."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from ...messages.own_logger import OwnLogger
from ...messages.text import plural
from ...model.request import Request
from ..backlog import Backlog
from .durable import DurableBacklog

_logger = OwnLogger(__name__)

_LONGEST_HOLD = 300.0  # seconds to wait for a process that delivers what precedes ours; it may have been stopped


class DiskBuffer:
    """Keeps a backlog on disk, and takes over the requests of processes that are gone.

    Args:
        backlog: The waiting requests.
        durable: The disk.
        clock: Monotonic seconds.
    """

    def __init__(self, backlog: Backlog, durable: DurableBacklog, clock: Callable[[], float]) -> None:
        self._backlog = backlog
        self._durable = durable
        self._clock = clock
        self._began = clock()
        self._has_looked = False
        self._behind_since: float | None = None

    def writes_as(self, writer: str) -> None:
        """Set who writes the series: processes of the same writer never run at the same time."""
        self._durable.writer = writer

    def look(self) -> bool:
        """Take over what other processes left, once; return whether there was any."""
        if self._has_looked and not self._durable.has_more:
            return False
        self._has_looked = True
        now = self._clock()
        left = self._durable.take_over()
        self._backlog.add_left(
            [(now - each.age, each.request) for each in left], math.nextafter(self._began, -math.inf)
        )
        if not self._durable.is_behind:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = now
            _logger.info("Metrics wait until those left by an earlier process of this instance are delivered")
        return bool(left)

    def look_for_more(self) -> bool:
        """Take over more once everything taken over is delivered; return whether there is more to send now."""
        if not self._durable.has_more or self._holds_of_others():
            return False
        was_behind = self._behind_since is not None
        self.mirror()  # removes the delivered files
        return self.look() or (was_behind and self._behind_since is None)

    def look_again(self) -> None:
        """Make the next export look again: other processes may have ended meanwhile."""
        self._has_looked = False

    def is_held_back(self, since: float) -> bool:
        """Return whether an export has to wait for requests of an earlier process of the same instance.

        Args:
            since: When it was made, in seconds by the clock.
        """
        if self._behind_since is None or since < self._began:
            return False
        return self._clock() - self._behind_since < _LONGEST_HOLD

    def mirror(self) -> None:
        """Write the backlog to disk."""
        self._durable.mirror(self._backlog.waiting(self._clock()))

    def forget(self, delivered: Iterable[Request]) -> None:
        """Delete requests that have an outcome from disk."""
        self._durable.forget(delivered)

    def keep(self) -> None:
        """Leave the backlog to the next process, as far as it is on disk."""
        self.mirror()
        if kept := self._backlog.remove(self._durable.holds):
            samples = sum(request.size for request in kept)
            _logger.warning(
                "%d %s could not be delivered before exit and %s kept in %s for the next process",
                samples,
                plural(samples, "sample"),
                plural(samples, "is", "are"),
                self._durable.folder,
            )
        self._durable.close()

    def abandon(self) -> None:
        """Leave the files on disk to the parent; called in a forked child."""
        self._durable.close()

    def _holds_of_others(self) -> bool:
        oldest = self._backlog.oldest
        return oldest is not None and oldest < self._began
