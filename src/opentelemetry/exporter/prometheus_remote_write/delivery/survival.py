"""What survives the end of a process: what waits goes to disk, and what others have left there is taken over."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from ..messages.own_logger import OwnLogger
from ..model.request import Request
from .backlog import Backlog
from .durable import DurableBacklog

_logger = OwnLogger(__name__)

_LONGEST_HOLD = 300.0  # seconds to wait for a process that delivers what is before ours; it may have been stopped


class Survival:
    """Keeps a backlog on disk, and takes over into it what processes that are gone have left there.

    Args:
        backlog: What waits.
        durable: The disk.
        clock: Seconds that only go up.
    """

    def __init__(self, backlog: Backlog, durable: DurableBacklog, clock: Callable[[], float]) -> None:
        self._backlog = backlog
        self._durable = durable
        self._clock = clock
        self._began = clock()
        self._has_looked = False
        self._behind_since: float | None = None

    def writes_as(self, writer: str) -> None:
        """Say who writes the series: processes of the same writer are never there at the same time."""
        self._durable.writer = writer

    def look(self) -> bool:
        """Take over what others have left, unless that has been done; return whether there was any."""
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
            _logger.info("Metrics wait until what an earlier process of this instance has left is delivered")
        return bool(left)

    def look_for_more(self) -> bool:
        """Take over more, once all that was taken over is delivered; return whether there is more to be sent now."""
        if not self._durable.has_more or self._holds_of_others():
            return False
        was_behind = self._behind_since is not None
        self.mirror()  # which has the files that were delivered removed
        return self.look() or (was_behind and self._behind_since is None)

    def look_again(self) -> None:
        """Have the next export look: others may have ended meanwhile."""
        self._has_looked = False

    def is_held_back(self, since: float) -> bool:
        """Return whether an export has to wait for what an earlier process of the same instance has left.

        Args:
            since: When it was made, in seconds by the clock.
        """
        if self._behind_since is None or since < self._began:
            return False
        return self._clock() - self._behind_since < _LONGEST_HOLD

    def mirror(self) -> None:
        """Have the disk hold what waits."""
        self._durable.mirror(self._backlog.waiting(self._clock()))

    def forget(self, delivered: Iterable[Request]) -> None:
        """Have the disk hold some requests no more: they have an outcome."""
        self._durable.forget(delivered)

    def keep(self) -> None:
        """Leave what waits to the next process, as far as it is on disk."""
        self.mirror()
        if kept := self._backlog.remove(self._durable.holds):
            _logger.warning(
                "%d samples could not be delivered before the exit, and are kept in %s for the next process",
                sum(request.size for request in kept),
                self._durable.folder,
            )
        self._durable.close()

    def abandon(self) -> None:
        """Leave what is on disk to the parent; called in a forked child."""
        self._durable.close()

    def _holds_of_others(self) -> bool:
        oldest = self._backlog.oldest
        return oldest is not None and oldest < self._began
