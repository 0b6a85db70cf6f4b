"""What it costs when streams come and go, and whether those that are gone are forgotten."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from statistics import median
from typing import Any

from opentelemetry.sdk.metrics.export import MetricsData

from tests.benchmarks.effort import Effort
from tests.benchmarks.exporters import FLOORS, OURS_1, OURS_2, Encode, encode
from tests.benchmarks.interpreter import Interpreter
from tests.benchmarks.load import Application, Load
from tests.benchmarks.table import Row

_INTERVAL = 60_000_000_000  # nanoseconds between two exports; what is new starts between them
_SHARE = 0.1  # of the streams, replaced between two exports
_LEVEL = 1.2  # times what was held before: what an exporter remembers of strings and numbers may have filled up
_WARM_UP = 2  # exports


class Churning:
    """Exports in which some streams of each metric are new and as many gone, and the same work without.

    The SDK never lets go of a stream with cumulative temporality, so the points are made here, from what it collected.

    Args:
        exporter: Its name.
        load: The work of one export.
        alike: Whether the same sets of attributes come and go in all metrics, as those of a web framework do; else each
            new stream has a label that nobody had before.
    """

    def __init__(self, exporter: str, load: list[int], alike: bool) -> None:  # noqa: FBT001 - from JSON
        self._alike = alike
        self._number = count()
        self._now = time.time_ns()
        self._exporter = exporter
        # None of the first streams is left, so that the work is of one kind with churn and without.
        self._data = self._settled = self._next(Application(Load(*load)).collect(), 1.0)
        self._encode, self._encode_settled = encode(exporter), encode(exporter)

    def exports(self) -> tuple[float, float]:
        """Return the CPU seconds of translating, encoding and compressing, with streams replaced and without."""
        self._data = self._next(self._data, _SHARE)
        self._settled = self._next(self._settled, 0.0)
        return _seconds(self._encode, self._data), _seconds(self._encode_settled, self._settled)

    def held(self, *, churned: int) -> tuple[int, int]:
        """Return the bytes that are held for the same streams before and after exports with others."""
        original = self._data
        tracemalloc.start()
        self._encode = encode(self._exporter)
        before = self._held_for(original)
        for _ in range(churned):
            self._data = self._next(self._data, _SHARE)
            self._encode(self._data)
        after = self._held_for(original)
        tracemalloc.stop()
        return before, after

    def _held_for(self, data: MetricsData) -> int:
        self._data = data
        for _ in range(2):  # they come, and stay
            self._encode(data)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    def _next(self, data: MetricsData, share: float) -> MetricsData:
        self._now += _INTERVAL
        come: dict[int, dict[str, Any]] = {}
        resources = []
        for resource in data.resource_metrics:
            scopes = []
            for scope in resource.scope_metrics:
                metrics = []
                for metric in scope.metrics:
                    if not self._alike:
                        come.clear()
                    points = self._next_points(metric.data.data_points, share, come)
                    metrics.append(replace(metric, data=replace(metric.data, data_points=points)))
                scopes.append(replace(scope, metrics=metrics))
            resources.append(replace(resource, scope_metrics=scopes))
        return MetricsData(resources)

    def _next_points(self, points: Sequence[Any], share: float, come: dict[int, dict[str, Any]]) -> list[Any]:
        replaced = round(len(points) * share)
        # The SDK's order is that of the streams' first measurements: the oldest go, the new come last.
        next_points = [replace(point, time_unix_nano=self._now) for point in points[replaced:]]
        for position, point in enumerate(points[:replaced]):
            number = next(self._number)
            if position not in come:
                come[position] = point.attributes | {"http.route": f"/api/v2/customers/{number}/orders"}
            next_points.append(
                replace(
                    point,
                    attributes=dict(come[position]),
                    start_time_unix_nano=self._now - _INTERVAL // 2 + number * 1_000_000 % _INTERVAL // 4,
                    time_unix_nano=self._now,
                )
            )
        return next_points


def _seconds(encode: Encode, data: MetricsData) -> float:
    started = time.process_time()
    encode(data)
    return time.process_time() - started


def rows(pythons: Mapping[str, str], effort: Effort) -> Iterator[Row]:
    """Measure the rows of churn.

    Args:
        pythons: The interpreters of the exporters that take part.
        effort: How much.
    """
    for protocol in (OURS_1, OURS_2):
        for alike, kind in ((True, "sets that come in all metrics"), (False, "sets that come in one")):
            with (
                Interpreter(pythons[protocol], Churning, protocol, effort.load, alike) as churning,
                Interpreter(pythons[protocol], Churning, FLOORS[protocol], effort.load, alike) as floor,
            ):
                seconds = [(*churning.call("exports"), *floor.call("exports")) for _ in range(effort.rounds + _WARM_UP)]
                before, after = churning.call("held", churned=effort.churned)
            churned, warm, at_least, warm_at_least = map(median, zip(*seconds[_WARM_UP:], strict=True))
            figure = f"{kind}, {protocol}"
            yield Row(f"churn of 10 %, {figure}", churned, "s", warm, "warm", 3.0)
            yield Row(f"churn of 10 %, {figure}", churned, "s", at_least, "the floor")
            yield Row(f"churn of 10 %, {figure}, the floor", at_least, "s", warm_at_least, "the floor, warm")
            yield Row(f"memory after {effort.churned} x churn, {figure}", after, "B", before, "before", _LEVEL)
