"""What delivery logs: a line when something changes, then one a minute while it lasts."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from ..errors import Rejected, Retryable, SendError, Unsendable
from ..messages.own_logger import OwnLogger
from ..messages.text import one_line, plural
from ..model.outcome import Outcome
from ..model.remote_write import METRIC_NAME, Labels
from .hints import hint

_logger = OwnLogger(__name__)

_SUMMARY_INTERVAL = 60.0  # seconds
_KINDS_A_MINUTE = 10
_SERIES_SHOWN = 3
_LONGEST_SERIES = 300  # characters
_SOON = 2.0  # seconds


class Report(NamedTuple):
    """The outcome of an export and of the backlog before it.

    Args:
        errors: Why requests were not accepted.
        bad_series: The series that were refused by themselves.
        samples: Samples by outcome.
        waiting: How many will be tried again.
        clock_set_back: How many seconds this host's clock is behind the newest accepted samples.
    """

    errors: Sequence[SendError]
    bad_series: Sequence[Labels]
    samples: Counter[Outcome]
    waiting: int
    clock_set_back: float = 0.0

    @property
    def dropped(self) -> int:
        """How many samples were given up without a final answer."""
        return sum(number for outcome, number in self.samples.items() if outcome.is_drop)


class DeliveryLog:
    """Logs what is wrong once, then sums it up.

    Each kind of trouble (its type, cause and status) has a line when it first occurs, and no other within a minute;
    what happens in between is counted and reported with the next line.
    """

    def __init__(self) -> None:
        self._logged: dict[object, float] = {}
        self._unlogged: Counter[Outcome] = Counter()
        self._bad_series: list[Labels] = []
        self._in_trouble = False
        self._waits_for_settings = 0
        self._has_begun = False

    def first_failure(self, error: Retryable, seconds: float) -> None:
        """Log at once that the very first attempt failed: whoever has just started the application is watching now.

        Args:
            error: Why.
            seconds: For how long it will be retried; if that is short, the next report says enough.
        """
        if self._has_begun or seconds < _SOON:
            return
        self._has_begun = True
        said = _with_advice(error, hint(error))
        _logger.log_at_once(
            logging.WARNING, "The first attempt to deliver metrics failed: %s. Trying again for %.0f s.", said, seconds
        )

    def report(self, report: Report, now: float) -> None:
        """Log what there is to report about an export.

        Args:
            report: Its outcome.
            now: Monotonic seconds.
        """
        self._has_begun = True
        self._unlogged.update({outcome: n for outcome, n in report.samples.items() if outcome is not Outcome.ACCEPTED})
        self._bad_series += report.bad_series
        if at_exit := report.samples[Outcome.AT_EXIT]:
            if self._waits_for_settings == at_exit:
                return  # already logged
            _logger.warning(
                "Metrics are lost: the exporter was shut down before they could be delivered%s", self._sum()
            )
        elif report.errors:
            self._log_errors(report, now)
        elif report.samples[Outcome.ACCEPTED] and not report.waiting and self._has_news(now):
            level = logging.WARNING if self._unlogged else logging.INFO
            _logger.log(level, "Metrics are delivered again%s", self._sum())
            self._in_trouble = False

    def _has_news(self, now: float) -> bool:
        """Return whether a success is worth a line: trouble is over, or something was lost since."""
        self._forget_old_lines(now)
        return self._in_trouble or (bool(self._unlogged) and not self._logged)

    def _forget_old_lines(self, now: float) -> None:
        self._logged = {kind: logged for kind, logged in self._logged.items() if now - logged < _SUMMARY_INTERVAL}

    def _log_errors(self, report: Report, now: float) -> None:
        self._forget_old_lines(now)
        for kind, error in {_kind(error): error for error in report.errors}.items():
            if kind in self._logged or len(self._logged) >= _KINDS_A_MINUTE:
                continue
            self._logged[kind] = now
            self._in_trouble = True
            said = _with_advice(error, hint(error, clock_set_back=report.clock_set_back))
            level = logging.ERROR if isinstance(error, Unsendable) else logging.WARNING
            waiting = _waiting(report.waiting) if report.waiting else ""
            self._waits_for_settings = 0
            if waiting and isinstance(error, Unsendable):  # that will hardly change before the exit
                waiting += " and will be lost at exit"
                self._waits_for_settings = report.waiting
            _logger.log(level, "Metrics were not delivered: %s%s", said, self._sum(waiting))

    def _sum(self, waiting: str = "") -> str:
        """Return what was counted and not logged yet, as the end of a line."""
        facts = [_fact(outcome, self._unlogged[outcome]) for outcome in sorted(self._unlogged, key=_order)]
        if waiting:
            facts.append(waiting)
        if self._bad_series:
            facts.append(f"refused series: {_listed(self._bad_series)}")
        self._unlogged.clear()
        self._bad_series.clear()
        return f" [{', '.join(facts)}]" if facts else ""


def _with_advice(error: SendError, advice: str) -> str:
    return f"{error} - {advice}" if advice else str(error)


def _order(outcome: Outcome) -> tuple[bool, str]:
    return not outcome.is_drop, outcome.value


def _fact(outcome: Outcome, number: int) -> str:
    if outcome is Outcome.UNKNOWN:
        return f"some of {number} {plural(number, 'sample')} were refused"
    what = f"dropped ({outcome.value})" if outcome.is_drop else outcome.value
    return f"{number} {plural(number, 'sample')} {what}"


def _waiting(number: int) -> str:
    return f"{number} {plural(number, 'sample')} {plural(number, 'waits', 'wait')} to be retried"


def _kind(error: SendError) -> object:
    return type(error), error.cause, error.status if isinstance(error, Retryable | Rejected) else None


def _listed(all_series: Sequence[Labels]) -> str:
    shown = ", ".join(_shown(dict(labels)) for labels in all_series[:_SERIES_SHOWN])
    more = len(all_series) - _SERIES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _shown(labels: dict[str, str]) -> str:
    name = labels.pop(METRIC_NAME, "")
    text = f"{name}{{{', '.join(f'{label}={value!r}' for label, value in labels.items())}}}"
    return one_line(text, _LONGEST_SERIES)
