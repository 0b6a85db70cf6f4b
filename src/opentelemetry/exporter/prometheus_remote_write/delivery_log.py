"""What delivery says in the application's log: a line when something changes, then one a minute while it lasts."""

from __future__ import annotations

import logging
from collections import Counter
from typing import NamedTuple

from opentelemetry.exporter.prometheus_remote_write.errors import Rejected, Retryable, SendError, Unsendable
from opentelemetry.exporter.prometheus_remote_write.hints import hint

_logger = logging.getLogger(__name__)

_SUMMARY_INTERVAL = 60.0  # seconds
_KINDS_REMEMBERED = 100


class Outcome(NamedTuple):
    """What became of an export and of what was waiting before it.

    Args:
        errors: Why requests were not accepted.
        rejected: How many samples the receiver refused.
        dropped: How many were given up, by reason.
        waiting: How many will be tried again.
    """

    errors: list[SendError]
    rejected: int
    dropped: Counter[str]
    waiting: int


class DeliveryLog:
    """Says what is wrong once, then sums it up.

    Each kind of trouble (the type of the error and the status) has a line when it comes, and no other within a minute;
    what happens meanwhile is counted and told with the next.
    """

    def __init__(self) -> None:
        self._told: dict[object, float] = {}
        self._rejected = 0
        self._dropped: Counter[str] = Counter()
        self._in_trouble = False

    def report(self, outcome: Outcome, now: float) -> None:
        """Say what there is to say of an export.

        Args:
            outcome: What became of it.
            now: In seconds, by a clock that only goes up.
        """
        self._rejected += outcome.rejected
        self._dropped += outcome.dropped
        if not outcome.errors:
            if self._in_trouble and not outcome.waiting:
                _logger.info("Metrics are delivered again%s", self._counts(0))
                self._told.clear()
                self._begin_anew(in_trouble=False)
            return
        self._in_trouble = True
        by_kind = {_kind(error): error for error in outcome.errors}
        for kind, error in by_kind.items():
            told = self._told.get(kind)
            if told is not None and now - told < _SUMMARY_INTERVAL:
                continue
            if len(self._told) < _KINDS_REMEMBERED:
                self._told[kind] = now
            advice = hint(error)
            level = logging.ERROR if isinstance(error, Unsendable) else logging.WARNING
            counts = self._counts(outcome.waiting)
            _logger.log(level, "Metrics were not delivered: %s%s%s", error, f" - {advice}" if advice else "", counts)
            self._begin_anew(in_trouble=True)

    def _begin_anew(self, *, in_trouble: bool) -> None:
        self._in_trouble = in_trouble
        self._rejected = 0
        self._dropped.clear()

    def _counts(self, waiting: int) -> str:
        parts = [f"{self._rejected} samples rejected"] if self._rejected else []
        parts += [f"{number} dropped ({reason})" for reason, number in sorted(self._dropped.items())]
        if waiting:
            parts.append(f"{waiting} samples wait to be sent again")
        return f" [{', '.join(parts)}]" if parts else ""


def _kind(error: SendError) -> object:
    return type(error), error.status if isinstance(error, Retryable | Rejected) else None
