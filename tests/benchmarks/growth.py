"""Whether a series costs the same among a thousand and among a million."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from itertools import cycle
from statistics import median
from typing import NamedTuple

from tests.benchmarks.effort import Effort
from tests.benchmarks.exporters import OURS_1, OURS_2, encode
from tests.benchmarks.interpreter import Interpreter
from tests.benchmarks.load import Application, Load
from tests.benchmarks.memory import traced
from tests.benchmarks.table import Row

_LIMIT = 1.5


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


_COSTS = (
    ("cold", "s", _LIMIT),
    ("warm", "s", _LIMIT),
    ("peak", "B", _LIMIT),
    ("held", "B", _LIMIT),
)


def rows(pythons: Mapping[str, str], effort: Effort) -> Iterator[Row]:
    """Measure the rows of growth: the dearest series beside the cheapest one.

    Args:
        pythons: The interpreters of the exporters that take part.
        effort: How much.
    """
    for protocol in (OURS_1, OURS_2):
        costs = _costs(pythons[protocol], protocol, effort)
        for cost, unit, limit in _COSTS:
            by_size = [(getattr(of_series, cost), series) for series, of_series in costs.items()]
            cheapest, among_these = min(by_size)
            dearest, among = max(by_size)
            figure = f"growth, {protocol}, {cost}, a series among {among:,}"
            yield Row(figure, dearest, unit, cheapest, f"among {among_these:,}", limit)


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
