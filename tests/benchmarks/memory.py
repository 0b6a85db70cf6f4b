"""How much memory ten exports take at most, what an exporter remembers included."""

from __future__ import annotations

import gc
import re
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median

from tests.benchmarks.effort import Effort
from tests.benchmarks.exporters import OTLP, OURS_1, OURS_2, PREDECESSOR, encode
from tests.benchmarks.interpreter import Interpreter
from tests.benchmarks.load import Application, Load
from tests.benchmarks.table import Row

_EXPORTS = 10


class Footprint:
    """An application whose exports are watched. The collection's own memory is there before, so it does not count."""

    def __init__(self, exporter: str, load: list[int]) -> None:
        self._application = Application(Load(*load))
        self._load = Load(*load)
        self._encode = encode(exporter)
        for _ in range(3):
            self._application.collect()
        gc.collect()

    def peak(self, *, exports: int) -> tuple[int, int]:
        """Return by how many bytes the process grows at most (Linux: the high-water mark of resident memory).

        Returns:
            That, and how many of these bytes are still resident when the exports are over.
        """
        before = _resident("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the mark starts anew
        for _ in range(exports):
            self._export()
        gc.collect()
        return _resident("VmHWM") - before, _resident("VmRSS") - before

    def held(self) -> tuple[int, int]:
        """Return the bytes that an exporter holds between two exports, and those that the SDK holds for the same."""
        gc.collect()
        tracemalloc.start()
        others = Application(self._load)
        others.collect()
        gc.collect()
        sdk = tracemalloc.get_traced_memory()[0]
        for _ in range(2):
            self._encode(others.collect())
        gc.collect()
        both = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return both - sdk, sdk

    def traced(self, *, exports: int) -> int:
        """Return the bytes that Python's objects take at most."""
        return traced(self._export, exports)[0]

    def _export(self) -> None:
        self._encode(self._application.collect())


def traced(export: Callable[[], object], exports: int) -> tuple[int, int]:
    """Return the bytes that Python's objects take at most in some exports, and those that are held after the last."""
    gc.collect()
    tracemalloc.start()
    for _ in range(exports):
        export()
    gc.collect()
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak, held


def rows(pythons: Mapping[str, str], effort: Effort) -> Iterator[Row]:
    """Measure the rows of memory.

    Args:
        pythons: The interpreters of the exporters that take part.
        effort: How much.
    """
    peaks = {name: _peak(name, python, effort) for name, python in pythons.items()}
    resident = {name: peak for name, (peak, _) in peaks.items()}
    for name in (OURS_1, OURS_2, OTLP):
        if name in pythons:
            with Interpreter(pythons[name], Footprint, name, effort.load) as footprint:
                held, sdk = (bytes_ / effort.load.series for bytes_ in footprint.call("held"))
            yield Row(f"held between exports, for each series, {name}", held, "B", sdk, "held by the SDK")
            yield Row(f"resident after exports, {name}", peaks[name][1], "B", peaks[name][0], "at their peak")
    for name in (OURS_1, OURS_2):
        if OTLP in pythons:
            yield Row(f"peak memory, {name}", resident[name], "B", resident[OTLP], OTLP, 1.0)
        if PREDECESSOR in pythons:
            yield Row(f"peak memory, {name}", resident[name], "B", resident[PREDECESSOR], PREDECESSOR, 1 / 8)
        with Interpreter(pythons[name], Footprint, name, effort.load) as footprint:
            traced_peak = footprint.call("traced", exports=_EXPORTS)
        yield Row(f"peak memory, {name}, seen by tracemalloc", traced_peak, "B", resident[name], "resident")


def _peak(name: str, python: str, effort: Effort) -> tuple[float, float]:
    peaks = []
    for _ in range(1 if name == PREDECESSOR else effort.fresh):
        with Interpreter(python, Footprint, name, effort.load) as footprint:
            peaks.append(footprint.call("peak", exports=_EXPORTS))
    peak, left = map(median, zip(*peaks, strict=True))
    return peak, left


def _resident(field: str) -> int:
    """Read a field of the process's status, in bytes."""
    return 1024 * int(re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])
