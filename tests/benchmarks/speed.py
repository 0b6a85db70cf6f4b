"""Speed and size of one export: warm, cold, in either state of the garbage collector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from statistics import median
from typing import NamedTuple

from tests.benchmarks.effort import Effort
from tests.benchmarks.exporters import FLOORS, OTLP, OURS_1, OURS_2, PREDECESSOR
from tests.benchmarks.exports import Exports
from tests.benchmarks.interpreter import Interpreter
from tests.benchmarks.serialisation import Serialisation
from tests.benchmarks.table import Row

_WARM_UP = 2  # exports; from the second on nothing is new


class _Measured(NamedTuple):
    """What was measured of one exporter.

    Args:
        collection: CPU seconds of the SDK's collection, for each export.
        export: CPU seconds of translating, encoding and compressing, for each export.
        without_gc: The same with the garbage collector disabled.
        size: Bytes of each export's requests.
    """

    collection: list[float]
    export: list[float]
    without_gc: list[float]
    size: list[int]


def rows(pythons: Mapping[str, str], effort: Effort) -> Iterator[Row]:
    """Measure the rows of speed and size.

    Args:
        pythons: The interpreters of the exporters that take part.
        effort: How much.
    """
    warm, serialised, floors = _warm(pythons, effort)
    seconds = {name: median(measured.export) for name, measured in warm.items()}
    # By all processes' collections: it is the same work in each of them.
    collection = median(seconds for name in (OURS_1, OURS_2) for seconds in warm[name].collection)
    yield Row("warm, 1.0", seconds[OURS_1], "s", serialised, "protobuf's serialisation", 1 / 2)
    if OTLP in warm:
        yield Row("warm, 1.0", seconds[OURS_1], "s", seconds[OTLP], "OTLP", 1 / 10)
    if PREDECESSOR in warm:
        yield Row("warm, 1.0", seconds[OURS_1], "s", seconds[PREDECESSOR], "predecessor", 1 / 75)
    yield Row("warm, 2.0", seconds[OURS_2], "s", seconds[OURS_1], "1.0", 1.0)
    for protocol, floor in floors.items():
        yield Row(f"warm, {protocol}", seconds[protocol], "s", floor, "the floor")
    yield Row("share of collection, 1.0", seconds[OURS_1], "s", collection, "SDK's collection", 1 / 3)
    yield Row("share of collection, 2.0", seconds[OURS_2], "s", collection, "SDK's collection", 1 / 3)

    for name, measured in warm.items():
        yield Row(f"warm, {name}, gc disabled", median(measured.without_gc), "s", seconds[name], "gc enabled")

    cold = _cold(pythons, effort)
    for name in (OURS_1, OURS_2):
        if PREDECESSOR in cold:
            yield Row(f"cold, {name}", cold[name], "s", cold[PREDECESSOR], "predecessor", 1 / 10)
        yield Row(f"cold, {name}", cold[name], "s", seconds[name], "warm")

    size = {name: median(measured.size) for name, measured in warm.items()}
    if PREDECESSOR in warm:
        yield Row("bytes, 1.0", size[OURS_1], "B", size[PREDECESSOR], "predecessor")
        yield Row("bytes, 2.0", size[OURS_2], "B", size[PREDECESSOR], "predecessor", 1 / 2)
    if OTLP in warm:
        yield Row("bytes, 2.0", size[OURS_2], "B", size[OTLP], "OTLP")


def _warm(pythons: Mapping[str, str], effort: Effort) -> tuple[dict[str, _Measured], float, dict[str, float]]:
    """Measure all exporters in turns, so that whatever slows the machine slows all of them."""
    warm = {name: _Measured([], [], [], []) for name in pythons}
    serialised = []
    at_least: dict[str, list[float]] = {OURS_1: [], OURS_2: []}
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(Interpreter(python, Exports, name, effort.load))
            for name, python in pythons.items()
        }
        protobuf = stack.enter_context(Interpreter(pythons[OURS_1], Serialisation, effort.load))
        floors = {
            protocol: stack.enter_context(Interpreter(pythons[protocol], Exports, floor, effort.load))
            for protocol, floor in FLOORS.items()
        }
        for _ in range(_WARM_UP):
            for exports in running.values():
                exports.call("export", collect_garbage=True)
            for floor in floors.values():
                floor.call("export", collect_garbage=True)
            protobuf.call("serialise")
        for number in range(effort.rounds):
            for name, exports in running.items():
                if name == PREDECESSOR and number >= effort.predecessor_rounds:
                    continue
                collection, export, size = exports.call("export", collect_garbage=True)
                warm[name].collection.append(collection)
                warm[name].export.append(export)
                warm[name].size.append(size)
                warm[name].without_gc.append(exports.call("export", collect_garbage=False)[1])
            serialised.append(protobuf.call("serialise"))
            for protocol, floor in floors.items():
                at_least[protocol].append(floor.call("export", collect_garbage=True)[1])
    return warm, median(serialised), {protocol: median(floor) for protocol, floor in at_least.items()}


def _cold(pythons: Mapping[str, str], effort: Effort) -> dict[str, float]:
    """Measure the first export of a process, with everything new: caches, series, code paths."""
    seconds: dict[str, list[float]] = {name: [] for name in pythons}
    for _ in range(effort.fresh):
        for name, python in pythons.items():
            with Interpreter(python, Exports, name, effort.load) as exports:
                seconds[name].append(exports.call("export", collect_garbage=True)[1])
    return {name: median(each) for name, each in seconds.items()}
