"""How often exports come: so that retrying one does not make the next late."""

from __future__ import annotations

_SHORTEST = 1.0  # seconds; what comes faster is somebody's force_flush, not an interval


class Pace:
    """Learns the interval from exports that were not held up.

    Args:
        interval: In seconds, as far as is known before.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._began: float | None = None
        self._lasted = 0.0

    def begin(self, now: float) -> float:
        """Note that an export begins.

        Args:
            now: In seconds, by a clock that only goes up.

        Returns:
            When to stop retrying, by the clock: half an interval from now.
        """
        if self._began is not None:
            gap = now - self._began
            if gap >= _SHORTEST and self._lasted < gap / 2:
                self._interval = gap
        self._began = now
        return now + self._interval / 2

    def end(self, now: float) -> None:
        """Note that the export has ended."""
        if self._began is not None:
            self._lasted = now - self._began
