"""Dropped data points: counted by reason, logged once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from ..errors import SeriesLimitExceeded, Untranslatable
from ..messages.own_logger import OwnLogger
from ..messages.text import one_line, plural

_logger = OwnLogger(__name__)

_MESSAGES_REMEMBERED = 1000
_METRICS_NAMED = 5
_METRICS_COUNTED = 50  # metrics that are counted separately; the others share an empty name
_LONGEST_NAME = 300  # characters
_LONGEST_REASON = 1000
_EXCEEDED = ("", "max_series")


class DroppedPoints:
    """Counts the data points that have no Prometheus form, and warns once for each metric and reason.

    Attributes:
        points: How many data points were dropped so far, by the reason's short word.
        exceeding: How many of them because of the series limit, by metric.
    """

    def __init__(self) -> None:
        self.points: Counter[str] = Counter()
        self._logged: set[tuple[str, str]] = set()
        self._exceeding: Counter[str] = Counter()
        self.exceeding: Counter[str] = Counter()

    def drop(self, metric: str, error: Untranslatable, points: int = 1) -> None:
        """Count dropped data points.

        Args:
            metric: The name of the OpenTelemetry metric.
            error: Why.
            points: How many data points.
        """
        self.points[error.reason] += points
        if isinstance(error, SeriesLimitExceeded):
            self._exceeding[metric] += points
            self.exceeding[metric if metric in self.exceeding or len(self.exceeding) < _METRICS_COUNTED else ""] += (
                points
            )
            return
        if (metric, error.reason) in self._logged or len(self._logged) >= _MESSAGES_REMEMBERED:
            return
        self._logged.add((metric, error.reason))
        _logger.warning(
            "Metric %s: %s. Logged once; everything dropped is counted.",
            one_line(repr(metric), _LONGEST_NAME),
            one_line(str(error), _LONGEST_REASON),  # it may name labels, which may contain anything
        )

    def after_fork(self) -> None:
        """Count from zero, in a forked child; what the parent has logged is not logged again."""
        for counted in (self.points, self.exceeding, self._exceeding):
            counted.clear()

    def log_exceeded(self, limit: int, used: Callable[[], Counter[str]]) -> None:
        """Warn about what an export dropped because of the series limit, the first time that it happens.

        Args:
            limit: How many series the process may have.
            used: Returns the number of series by metric.
        """
        left_out, self._exceeding = self._exceeding, Counter()
        if not left_out or _EXCEEDED in self._logged:
            return
        self._logged.add(_EXCEEDED)
        _logger.warning(
            "The process has reached max_series=%d, so %d %s dropped (of %s). Most "
            "series are of %s: drop attributes or metrics, or allow more. Logged once; everything dropped is counted.",
            limit,
            left_out.total(),
            plural(left_out.total(), "stream is", "streams are"),
            _listed(left_out),
            _listed(used()),
        )


def _listed(metrics: Counter[str]) -> str:
    return ", ".join(
        f"{one_line(repr(metric), _LONGEST_NAME)}: {number}" for metric, number in metrics.most_common(_METRICS_NAMED)
    )
