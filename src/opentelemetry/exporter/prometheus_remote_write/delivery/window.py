"""How long an export may take."""

from __future__ import annotations

import math
from typing import NamedTuple


class Window(NamedTuple):
    """When an export may do what, by delivery's clock.

    Args:
        deadline: When its last attempt ends.
        retry_until: When the rest is left to the next export: nothing is repeated later, and no export that had waited
            begins.
        is_last: Whether there is no next export to leave anything to.
    """

    deadline: float
    retry_until: float
    is_last: bool = False

    def without_retries(self) -> Window:
        """Return a window in which each request is sent once."""
        return self._replace(retry_until=-math.inf)
