"""What an exporter's metrics about itself cost, beside the export that they travel with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median

from tests.benchmarks.effort import Effort
from tests.benchmarks.exporters import OURS_1, OURS_2
from tests.benchmarks.interpreter import Interpreter
from tests.benchmarks.table import Row
from tests.benchmarks.watched import Watched

_WARM_UP = 2  # exports; from the second on nothing is new


def rows(pythons: Mapping[str, str], effort: Effort) -> Iterator[Row]:
    """Measure the rows of self-metrics: they and the export with the SDK's collection.

    Args:
        pythons: The interpreters of the exporters that take part.
        effort: How much.
    """
    for protocol in (OURS_1, OURS_2):
        with Interpreter(pythons[protocol], Watched, list(effort.load), protocol) as watched:
            pairs = [(watched.call("tell"), watched.call("export")) for _ in range(_WARM_UP + effort.rounds)]
        told, exported = (median(seconds) for seconds in zip(*pairs[_WARM_UP:], strict=True))
        yield Row(f"self-metrics, {protocol}", told, "s", exported, "the export", 1 / 50)
