"""What was left out, counted by reason, and said once."""

from __future__ import annotations

import logging
from collections import Counter

from opentelemetry.exporter.prometheus_remote_write.errors import Untranslatable

_logger = logging.getLogger(__name__)

_MESSAGES_REMEMBERED = 1000


class Refusals:
    """Counts the data points that have no Prometheus form, and warns once for each metric and reason.

    Attributes:
        points: How many data points were left out so far, by the reason's short word.
    """

    def __init__(self) -> None:
        self.points: Counter[str] = Counter()
        self._told: set[tuple[str, str]] = set()

    def refuse(self, metric: str, error: Untranslatable, points: int = 1) -> None:
        """Count data points that are left out.

        Args:
            metric: The name of the OpenTelemetry metric.
            error: Why.
            points: How many data points.
        """
        self.points[error.reason] += points
        if (metric, error.reason) in self._told or len(self._told) >= _MESSAGES_REMEMBERED:
            return
        self._told.add((metric, error.reason))
        _logger.warning("Metric %r: %s. This is said once; what is left out is counted.", metric, error)
