"""One application that pushes to one receiver, and what came of it."""

from __future__ import annotations

import itertools
import logging
import time
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, NamedTuple

from tests.end_to_end.application import Application
from tests.receivers.between import Between, Passed
from tests.servers.prometheus_api import QueryError

LOGGER = logging.getLogger("opentelemetry.exporter.prometheus_remote_write.delivery")
SOON = 120  # seconds after a trial's own time; no limit's good samples are later
SOME_TIME_AGO = 300  # seconds; all receivers take samples that are so old
TIMEOUT = 4  # seconds for an export; a receiver on loopback needs some milliseconds
MISSING = (None, [], {}, set())

_numbers = itertools.count(1)


class Compared(NamedTuple):
    """What was recorded, by what was asked for it, and what the receiver answered."""

    expected: Mapping[str, Any]
    found: Mapping[str, Any]


class Outcome(NamedTuple):
    """What became of what was recorded.

    Args:
        verdict: In a word or two.
        accepted: Whether the exports succeeded.
        passed: Requests and answers.
        said: What the exporter said in the log.
        counted: How many samples the exporter counted, by what became of them.
        compared: What differs, for a person who looks for the reason.
    """

    verdict: str
    accepted: bool
    passed: tuple[Passed, ...]
    said: tuple[str, ...]
    counted: Mapping[str, int]
    compared: Compared

    @property
    def protocol(self) -> str:
        """The protocol of the last request that was accepted, or of the last one."""
        accepted = [each for each in self.passed if each.status < 300]
        return (accepted or self.passed)[-1].protocol


EXACT = "exact"
EXACT_CALLED_FAILURE = "exact, but the export fails"
DROPPED = "dropped silently"
PART_DROPPED = "in part dropped silently"
REFUSED = "refused"
PART_REFUSED = "in part refused"


class Trial:
    """Runs inside a with block: an application of a job of its own, some time ago.

    Attributes:
        server: The receiver.
        now: Whole seconds, some time ago, so that pushes at several moments need no waiting.
        accepted: Whether each export was.
    """

    def __init__(self, server: Any, **settings: Any):
        self.server = server
        self.now = float(int(time.time()) - SOME_TIME_AGO)
        self.accepted: list[bool] = []
        self._settings = {**server.write_settings, **settings}
        self._stack = ExitStack()
        self._log = _Lines()

    def __enter__(self):
        LOGGER.addHandler(self._log)
        self._stack.callback(LOGGER.removeHandler, self._log)
        self.between = self._stack.enter_context(Between(self.server.write_url))
        self.application = Application(
            self.between.url, f"trial-{next(_numbers)}", instance=str(uuid.uuid4()), **self._settings
        )
        self._stack.callback(self.application.close)
        self.meter = self.application.meter
        return self

    def __exit__(self, *_exception):
        self._stack.close()

    def push(self, at: float | None = None) -> None:
        """Export, as if it were so many seconds after the trial's own time."""
        self.export(self.application.collect(self.now + (at or 0)))

    def export(self, data: Any) -> None:
        """Export what was collected."""
        self.accepted.append(self.application.export(data, timeout=TIMEOUT))

    def of(self, name: str, **labels: str) -> str:
        """A selector of the application's series."""
        pairs = [f'{label}="{text}"' for label, text in {"job": self.application.job, **labels}.items()]
        return f"{name}{{{','.join(pairs)}}}"

    def value(self, promql: str, after: float = 0) -> float | None:
        """The value of an expression, so many seconds after the trial's own time; None where it has none."""
        try:
            found = self.server.query(promql, self.now + after)
        except QueryError:  # an older receiver does not know the function
            return None
        if len(found) > 1:
            raise AssertionError(f"{promql} has more than one value: {found}")
        return found[0].value if found else None

    def values(self, queries: Mapping[str, Any], after: float = 0) -> Compared:
        """Compare the values of expressions with what they should be."""
        return Compared(queries, {promql: self.value(promql, after) for promql in queries})

    def outcome(self, compared: Compared) -> Outcome:
        """What became of the pushes so far."""
        samples = self.application.exporter._data_path.delivery.samples
        counted = {what.value: number for what, number in samples.items() if number}
        return Outcome(
            self._verdict(compared),
            all(self.accepted),
            tuple(self.between.passed),
            tuple(self._log.lines),
            counted,
            compared,
        )

    def held(self) -> int:
        """How many samples of the application the receiver holds, up to two minutes after the trial's own time."""
        stored = self.server.range_vector(f"{self.of('')}[4h]", self.now + SOON)
        return sum(len(series.points) for series in stored)

    def _verdict(self, compared: Compared) -> str:
        accepted = all(self.accepted)
        if not differences(compared):
            return EXACT if accepted else EXACT_CALLED_FAILURE
        if all(found in MISSING for found in compared.found.values()):
            return DROPPED if accepted else REFUSED
        return PART_DROPPED if accepted else PART_REFUSED


def differences(compared: Compared) -> dict[str, tuple[Any, Any]]:
    """What was expected and what was found, where they differ."""
    return {
        asked: (expected, compared.found[asked])
        for asked, expected in compared.expected.items()
        if not _equal(expected, compared.found[asked])
    }


def _equal(expected: Any, found: Any) -> bool:
    if isinstance(expected, float) and isinstance(found, float):
        return expected == found or abs(expected - found) <= 1e-9 * abs(expected)
    if isinstance(expected, list | tuple) and isinstance(found, list | tuple):
        return len(expected) == len(found) and all(map(_equal, expected, found))
    return bool(expected == found)


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
