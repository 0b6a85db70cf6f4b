"""Outcomes of samples, their reasons, and the series to blame; noted from several threads at once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from ..errors import SendError
from ..model.outcome import Outcome
from ..model.remote_write import Labels
from ..model.request import Request


class Noted(NamedTuple):
    """What was noted since the last look.

    Args:
        errors: Why requests were not accepted.
        bad_series: The series that were refused by themselves.
        samples: Samples and histograms by outcome.
    """

    errors: list[SendError]
    bad_series: list[Labels]
    samples: Counter[Outcome]


class Tally:
    """Counts samples by outcome.

    Attributes:
        samples: Samples and histograms so far by outcome. Those without one are waiting.
        points: The application's data points so far by outcome.
        errors: Why requests were not accepted since the last :meth:`take`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bad_series: list[Labels] = []
        self._taken: Counter[Outcome] = Counter()
        self.samples: Counter[Outcome] = Counter()
        self.points: Counter[Outcome] = Counter()
        self.errors: list[SendError] = []

    def count(self, outcome: Outcome, request: Request) -> None:
        """Note the outcome of a request."""
        with self._lock:
            self.samples[outcome] += request.size
            self.points[outcome] += request.points

    def count_parts(self, request: Request, rejected: int) -> None:
        """Note how many samples of a request were rejected; the others were accepted."""
        points = request.points_of(rejected)
        with self._lock:
            self.samples[Outcome.ACCEPTED] += request.size - rejected
            self.samples[Outcome.REJECTED] += rejected
            # The rest of the points: each is counted once, although the proportion may not be a whole number.
            self.points[Outcome.ACCEPTED] += request.points - points
            self.points[Outcome.REJECTED] += points

    def note(self, error: SendError) -> None:
        """Note why a request was not accepted."""
        with self._lock:
            self.errors.append(error)

    def blame(self, series: Iterable[Labels]) -> None:
        """Note series that were refused by themselves."""
        with self._lock:
            self._bad_series += series

    def take(self) -> Noted:
        """Return what was noted since the last call."""
        with self._lock:
            noted = Noted(self.errors, self._bad_series, self.samples - self._taken)
            self.errors, self._bad_series, self._taken = [], [], self.samples.copy()
        return noted
