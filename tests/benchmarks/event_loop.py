"""What an asyncio application feels of exports: how late its event loop is, and how long its clients wait."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from statistics import median
from typing import NamedTuple

from tests.benchmarks.answering import Answering
from tests.benchmarks.effort import Effort
from tests.benchmarks.exporters import OTLP, OURS_1, OURS_2
from tests.benchmarks.interpreter import Interpreter
from tests.benchmarks.table import Row
from tests.benchmarks.web import Asking, Web

_TURNS = 2
_ALONE = "without exports"


class _Felt(NamedTuple):
    """In seconds: the answers' times, and by how much the event loop was late."""

    answer_median: float
    answer_p99: float
    lag_median: float
    lag_p99: float


def rows(pythons: Mapping[str, str], effort: Effort) -> Iterator[Row]:
    """Measure the rows of an application under uvicorn.

    Args:
        pythons: The interpreters of the exporters that take part.
        effort: How much.
    """
    felt = _measure(pythons, effort)
    alone = felt[_ALONE]
    for name in (each for each in felt if each != _ALONE):
        beside = felt[name]
        yield Row(f"uvicorn beside exports, median, {name}", beside.answer_median, "s", alone.answer_median, _ALONE)
        yield Row(f"uvicorn beside exports, p99, {name}", beside.answer_p99, "s", alone.answer_p99, _ALONE)
        yield Row(f"event loop's lag beside exports, p99, {name}", beside.lag_p99, "s", alone.lag_p99, _ALONE)


def _measure(pythons: Mapping[str, str], effort: Effort) -> dict[str, _Felt]:
    names = [name for name in (OURS_1, OURS_2, OTLP) if name in pythons]
    felt: dict[str, list[_Felt]] = {}
    with ExitStack() as stack:
        url = stack.enter_context(Interpreter(pythons[OURS_1], Answering)).call("url")
        for name in names:
            with ExitStack() as own:
                web = own.enter_context(Interpreter(pythons[name], Web, name, effort.load, url))
                client = own.enter_context(Interpreter(pythons[OURS_1], Asking, web.call("port")))
                for _ in range(_TURNS):
                    for exporting in (False, True):
                        web.call("begin", exporting=exporting)
                        answers = client.call("latencies", seconds=effort.seconds)
                        lags = web.call("end")
                        felt.setdefault(name if exporting else _ALONE, []).append(_Felt(*answers, *lags))
    return {name: _Felt(*map(median, zip(*each, strict=True))) for name, each in felt.items()}
