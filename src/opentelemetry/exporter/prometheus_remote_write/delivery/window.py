"""How long an export may take."""

from __future__ import annotations

import math
from typing import NamedTuple


class Window(NamedTuple):
    """The time limits of an export, by delivery's clock.

    Args:
        deadline: When its last attempt ends.
        retry_until: When the rest is left to the next export: after it nothing is retried, and no waiting export
            begins.
        is_last: Whether there is no next export to leave anything to.
        gives_way: Whether threads of the application go first, because nobody waits for the export.
        probes_since: Since when something must have been accepted before anything is retried; None for no such
            condition.
    """

    deadline: float
    retry_until: float
    is_last: bool = False
    gives_way: bool = False
    probes_since: float | None = None

    def without_retries(self) -> Window:
        """Return a window in which each request is sent only once."""
        return self._replace(retry_until=-math.inf)

    def probing(self, now: float) -> Window:
        """Return a window in which the first request is sent once, to see whether the receiver is available."""
        return self._replace(probes_since=now)
