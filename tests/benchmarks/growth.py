"""Whether a series costs more among a million than among a thousand, and what an export costs that has only one."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import combinations, cycle
from statistics import median
from typing import NamedTuple

from tests.benchmarks.effort import Effort
from tests.benchmarks.exporters import OURS_1, OURS_2, encode
from tests.benchmarks.interpreter import Interpreter
from tests.benchmarks.load import Application, Load
from tests.benchmarks.memory import traced
from tests.benchmarks.table import Row

_LIMIT = 1.1
_ONE_SERIES = Load(counters=1, histograms=0, attribute_sets=1)
_EXPORTS_OF_ONE = 200


class Repeated:
    """Exports of what an application has collected before, so that a million series take seconds, not minutes.

    Args:
        exporter: Its name.
        load: The work of one export.
        shortest: Series that are exported, together, between two looks at the clock.
    """

    def __init__(self, exporter: str, load: list[int], shortest: int) -> None:
        self._exporter = exporter
        self._load = Load(*load)
        application = Application(self._load)
        self._collected = cycle([application.collect(), application.collect()])
        self._exports = max(1, round(shortest / self._load.series))
        self._encode = encode(exporter)
        self._encode(next(self._collected))  # what only the first export of a process does is not what grows

    def cold(self) -> float:
        """Return the CPU seconds of a new exporter's first export for each series."""
        seconds = 0.0
        for _ in range(self._exports):
            self._encode = encode(self._exporter)
            gc.collect()  # what is left of the exporter before
            seconds += self._seconds(1)
        return seconds / self._exports

    def warm(self) -> float:
        """Return the CPU seconds of a later one."""
        return self._seconds(self._exports)

    def traced(self) -> tuple[float, float]:
        """Return the bytes that an exporter takes at most, and those that it holds afterwards, for each series."""
        self._encode = encode(self._exporter)
        data = next(self._collected)
        peak, held = traced(lambda: self._encode(data), 1)
        return peak / self._load.series, held / self._load.series

    def _seconds(self, exports: int) -> float:
        started = time.process_time()
        for _ in range(exports):
            self._encode(next(self._collected))
        return (time.process_time() - started) / exports / self._load.series


class _Costs(NamedTuple):
    """Seconds and bytes of one series."""

    cold: float
    warm: float
    peak: float
    held: float


def rows(pythons: Mapping[str, str], effort: Effort) -> Iterator[Row]:
    """Measure the rows of growth, and what is fixed.

    Args:
        pythons: The interpreters of the exporters that take part.
        effort: How much.
    """
    for protocol in (OURS_1, OURS_2):
        costs = _costs(pythons[protocol], protocol, effort)
        for cost, unit in (("cold", "s"), ("warm", "s"), ("peak", "B"), ("held", "B")):
            by_size = sorted((series, getattr(of_series, cost)) for series, of_series in costs.items())
            (fewer, cheap), (more, dear) = _steepest(by_size)
            yield Row(f"growth, {protocol}, {cost}, a series among {more:,}", dear, unit, cheap, f"{fewer:,}", _LIMIT)
        with Interpreter(pythons[protocol], Repeated, protocol, _ONE_SERIES, _EXPORTS_OF_ONE) as exports:
            seconds = exports.call("warm")
            peak, _ = exports.call("traced")
        least = min(costs)
        whole = f"an export of {least:,}"
        yield Row(f"an export of one series, {protocol}", seconds, "s", costs[least].warm * least, whole)
        yield Row(f"an export of one series, peak, {protocol}", peak, "B", costs[least].peak * least, whole)


def _steepest(by_size: Sequence[tuple[int, float]]) -> tuple[tuple[int, float], tuple[int, float]]:
    """Return of two sizes those between which the cost of a series rises the most, or falls the least."""
    return max(combinations(by_size, 2), key=lambda pair: pair[1][1] / pair[0][1], default=(by_size[0], by_size[0]))


def _costs(python: str, protocol: str, effort: Effort) -> dict[int, _Costs]:
    """Measure the costs of a series by the number of series, all numbers in turns."""
    with ExitStack() as stack:
        repeated = {
            load.series: stack.enter_context(Interpreter(python, Repeated, protocol, load, effort.growth_series))
            for load in effort.growth
        }
        seconds: dict[int, list[tuple[float, float]]] = {series: [] for series in repeated}
        for _ in range(effort.growth_rounds):
            for series, exports in repeated.items():
                seconds[series].append((exports.call("cold"), exports.call("warm")))
        return {
            series: _Costs(*map(median, zip(*seconds[series], strict=True)), *exports.call("traced"))
            for series, exports in repeated.items()
        }
