"""How long an application's thread has to wait while exports run back to back beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from statistics import median
from typing import NamedTuple

from tests.benchmarks.answering import Answering
from tests.benchmarks.busy import COLLECTIONS, EXPORTS, FIRST_EXPORTS, NOTHING, Busy
from tests.benchmarks.effort import Effort
from tests.benchmarks.exporters import OTLP, OURS_1, OURS_2
from tests.benchmarks.interpreter import Interpreter
from tests.benchmarks.table import Row

_TURNS = 2
_LONGER = 2.5  # times what a request takes without exports
_OF_OTLP = 1 / 5


class _Latency(NamedTuple):
    """Of a busy thread's requests: in seconds; and of what ran beside them: how often, and its CPU seconds."""

    p99: float
    p999: float
    median: float
    times: float
    cpu: float


def rows(pythons: Mapping[str, str], effort: Effort) -> Iterator[Row]:
    """Measure the rows of latency.

    Args:
        pythons: The interpreters of the exporters that take part.
        effort: How much.
    """
    measured = _measure(pythons, effort)
    alone = measured[OURS_1, NOTHING]
    for name in (OURS_1, OURS_2):
        warm, cold = measured[name, EXPORTS], measured[name, FIRST_EXPORTS]
        otlp = measured.get((OTLP, EXPORTS))
        yield Row(f"p99 beside exports, {name}", warm.p99, "s", alone.p99, "without exports", _LONGER)
        if otlp:
            yield Row(f"p99 beside exports, {name}", warm.p99, "s", otlp.p99, OTLP, _OF_OTLP)
        yield Row(f"p99 beside first exports, {name}", cold.p99, "s", alone.p99, "without exports", _LONGER)
        yield Row(f"p99.9 beside exports, {name}", warm.p999, "s", alone.p999, "without exports")
        if otlp:
            yield Row(f"p99.9 beside exports, {name}", warm.p999, "s", otlp.p999, OTLP)
            yield Row(f"exports meanwhile, {name}", warm.times, "1/s", otlp.times, OTLP)
            yield Row(f"CPU of each of them, HTTP included, {name}", warm.cpu, "s", otlp.cpu, OTLP)
    collections = measured[OURS_1, COLLECTIONS]
    yield Row("p99 beside the SDK's collections", collections.p99, "s", alone.p99, "without them")
    yield Row("p99.9 beside the SDK's collections", collections.p999, "s", alone.p999, "without them")


def _measure(pythons: Mapping[str, str], effort: Effort) -> dict[tuple[str, str], _Latency]:
    names = [name for name in (OURS_1, OURS_2, OTLP) if name in pythons]
    measured: dict[tuple[str, str], list[_Latency]] = {}
    with ExitStack() as stack:
        url = stack.enter_context(Interpreter(pythons[OURS_1], Answering)).call("url")
        busy = {name: stack.enter_context(Interpreter(pythons[name], Busy, name, effort.load, url)) for name in names}
        for _ in range(_TURNS):
            for name, beside in (
                (OURS_1, NOTHING),
                *((name, EXPORTS) for name in names),
                (OURS_1, FIRST_EXPORTS),
                (OURS_2, FIRST_EXPORTS),
                (OURS_1, COLLECTIONS),
            ):
                p99, p999, middle, times, cpu = busy[name].call("latencies", seconds=effort.seconds, beside=beside)
                latency = _Latency(p99, p999, middle, times / effort.seconds, cpu)
                measured.setdefault((name, beside), []).append(latency)
    return {key: _Latency(*map(median, zip(*each, strict=True))) for key, each in measured.items()}
