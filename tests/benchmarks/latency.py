"""How long an application's thread has to wait while exports run back to back beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from statistics import median
from typing import NamedTuple

from tests.benchmarks.answering import Answering
from tests.benchmarks.busy import Busy
from tests.benchmarks.effort import Effort
from tests.benchmarks.exporters import OTLP, OURS_1, OURS_2
from tests.benchmarks.interpreter import Interpreter
from tests.benchmarks.table import Row

_TURNS = 2


class _Latency(NamedTuple):
    """Of a busy thread's requests: in seconds; and how many exports ran in a second."""

    p99: float
    median: float
    exports: float


def rows(pythons: Mapping[str, str], effort: Effort) -> Iterator[Row]:
    """Measure the rows of latency.

    Args:
        pythons: The interpreters of the exporters that take part.
        effort: How much.
    """
    measured, alone = _measure(pythons, effort)
    for name in (OURS_1, OURS_2):
        if OTLP in measured:
            yield Row(f"p99 beside exports, {name}", measured[name].p99, "s", measured[OTLP].p99, OTLP, 1.0)
        yield Row(f"p99 beside exports, {name}", measured[name].p99, "s", alone, "without exports")
        if OTLP in measured:
            yield Row(f"exports meanwhile, {name}", measured[name].exports, "1/s", measured[OTLP].exports, OTLP)


def _measure(pythons: Mapping[str, str], effort: Effort) -> tuple[dict[str, _Latency], float]:
    names = [name for name in (OURS_1, OURS_2, OTLP) if name in pythons]
    turns: dict[str, list[_Latency]] = {name: [] for name in names}
    alone = []
    with ExitStack() as stack:
        url = stack.enter_context(Interpreter(pythons[OURS_1], Answering)).call("url")
        busy = {name: stack.enter_context(Interpreter(pythons[name], Busy, name, effort.load, url)) for name in names}
        for _ in range(_TURNS):
            alone.append(busy[OURS_1].call("latencies", seconds=effort.seconds / 2, exporting=False)[0])
            for name, thread in busy.items():
                p99, middle, exports = thread.call("latencies", seconds=effort.seconds, exporting=True)
                turns[name].append(_Latency(p99, middle, exports / effort.seconds))
    return {name: _Latency(*map(median, zip(*each, strict=True))) for name, each in turns.items()}, median(alone)
