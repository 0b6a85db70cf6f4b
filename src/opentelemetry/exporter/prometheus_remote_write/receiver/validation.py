"""The rules of the protocol that a decoded message must keep, stricter than any receiver in use.

Prometheus lets most of these pass and then drops or mends the data, so that a sender never learns of its mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from ..model.remote_write import Exemplar, Labels
from .histograms import histogram_fault
from .received import Series
from .refusal import Refusal

_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_EARLIEST, _LATEST = 10**12, 10**16
_LONGEST_EXEMPLAR = 128


class Rules:
    """The rules for the series of one request, without regard to earlier ones.

    Args:
        protocol: The version of the protocol.
    """

    def __init__(self, protocol: str) -> None:
        self._protocol = protocol
        self._seen: set[Labels] = set()

    def check(self, series: Series) -> None:
        """Check the next series.

        Raises:
            Refusal: A rule is broken; the text names the series and the rule.
        """
        fault = next(_faults(series, self._protocol), None)
        if fault is None and series.labels in self._seen:
            fault = "the series is in the request twice"
        if fault is not None:
            raise Refusal(fault, series=series.labels)
        self._seen.add(series.labels)


def _faults(series: Series, protocol: str) -> Iterator[str]:
    yield from _label_faults(series.labels)
    if not series.name:
        yield "there is no __name__"
    if protocol == "1.0":
        yield from _name_faults(series)
    if protocol == "2.0":
        if not series.samples and not series.histograms:
            yield "there is neither a sample nor a histogram"
        if series.samples and series.histograms:
            yield "samples and histograms are mixed"
    for what, values in (("samples", series.samples), ("histograms", series.histograms)):
        for value in values:
            yield from _time_faults(value.timestamp, value.start_timestamp)
        yield from _order_faults(what, [value.timestamp for value in values])
    for histogram in series.histograms:
        if fault := histogram_fault(histogram, protocol):
            yield fault
    yield from _exemplar_faults(series.exemplars)


def _label_faults(labels: Labels) -> Iterator[str]:
    names = [name for name, _ in labels]
    for name, value in labels:
        if not name:
            yield "a label name is empty"
        if not value:
            yield f"the value of label {name!r} is empty"
    # Strings compare by code point, which is the order of their bytes in UTF-8.
    for before, name in pairwise(names):
        if before == name:
            yield f"label {name!r} is there twice"
        if before > name:
            yield f"labels are not sorted: {name!r} comes after {before!r}"


def _name_faults(series: Series) -> Iterator[str]:
    """Protocol 1.0 has names in ASCII; 2.0 allows any UTF-8."""
    if not _METRIC_NAME.fullmatch(series.name):
        yield f"protocol 1.0 does not allow the metric name {series.name!r}"
    for name, _ in series.labels:
        if not _LABEL_NAME.fullmatch(name):
            yield f"protocol 1.0 does not allow the label name {name!r}"


def _time_faults(timestamp: int, start_timestamp: int = 0) -> Iterator[str]:
    for what, time in (("timestamp", timestamp), ("start timestamp", start_timestamp or _EARLIEST)):
        if not _EARLIEST <= time <= _LATEST:
            yield f"{what} {time} is not in milliseconds since the epoch"
    if start_timestamp > timestamp:
        yield f"start timestamp {start_timestamp} is after timestamp {timestamp}"


def _order_faults(what: str, timestamps: Iterable[int]) -> Iterator[str]:
    for before, timestamp in pairwise(timestamps):
        if before == timestamp:
            yield f"two {what} have the timestamp {timestamp}"
        if before > timestamp:
            yield f"{what} are not in order of time: {timestamp} comes after {before}"


def _exemplar_faults(exemplars: Sequence[Exemplar]) -> Iterator[str]:
    for exemplar in exemplars:
        for fault in _label_faults(exemplar.labels):
            yield f"exemplar: {fault}"
        for fault in _time_faults(exemplar.timestamp):
            yield f"exemplar: {fault}"
        if sum(len(name) + len(value) for name, value in exemplar.labels) > _LONGEST_EXEMPLAR:
            yield f"exemplar: its labels have more than {_LONGEST_EXEMPLAR} characters"
    for before, exemplar in pairwise(exemplars):
        if (before.timestamp, before.value) > (exemplar.timestamp, exemplar.value):
            yield "exemplars are not in order of time, then value"
