"""What is drawn of a metric: lines over time, and how a histogram's observations are distributed over time."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from ...model.remote_write import Labels
from ..store import Bucket, Role, Store, StoredSeries
from ..store.distribution import increase, of_classic, quantile, total
from ..store.stored_series import grown_by
from ..store.streams import by_stream, differing
from ..store.summary import counts_observations, rate_window

MOST_LINES = 50
MOST_SERIES = 3000
"""Of so many series of a histogram the distribution is drawn: more would take longer than until the next push."""

QUANTILES = (0.5, 0.95, 0.99)


class Grid(NamedTuple):
    """Steps of time, each from one export to the next, so that no step has more exports than another.

    ``times`` are those of the exports in milliseconds since the epoch; the first step ends with the second of them.
    What another process sends up to ``tolerance`` later is in the same step.
    """

    times: Sequence[int]
    tolerance: int

    def place(self, time: int) -> int:
        """Return the number of the step that a time is in; it may be out of the grid."""
        return bisect_left(self.times, time - self.tolerance) - 1


def lines(store: Store, all_series: Iterable[StoredSeries], *, is_rate: bool) -> dict[str, Any]:
    """Return a line for each of a counter's or gauge's series, at most fifty: those with the highest last values."""
    since = store.now - int(store.keep * 1000)
    window = rate_window(store)
    grouped = by_stream(series for series in all_series if counts_observations(series))
    shown = differing(grouped)
    candidates = sorted(grouped, key=lambda labels: -_last(grouped[labels][0], store, window, is_rate=is_rate))
    drawn = []
    for labels in sorted(candidates[:MOST_LINES]):
        (series, *_) = grouped[labels]
        if is_rate:
            points = list(series.rates(since, window))
        else:
            first = bisect_left(series.times, since)
            points = list(zip(series.times[first:], series.values[first:], strict=True))
        drawn.append(
            {
                "label": line_label(labels, shown),
                "times": [time for time, _ in points],
                "values": [finite(value) for _, value in points],
            }
        )
    return {"lines": drawn, "more": max(len(grouped) - MOST_LINES, 0)}


def distribution(store: Store, all_series: Sequence[StoredSeries]) -> dict[str, Any]:
    """Return the quantiles of a histogram's series together, and how many observations each bucket had in each step."""
    used = all_series[:MOST_SERIES]
    grid = _grid(store, used)
    steps = _growth(used, grid)
    window = rate_window(store)
    ends = grid.times[1:]
    firsts = [max(bisect_left(grid.times, end - window), 0) for end in ends]  # of each end, where its window begins
    smoothed = [total(steps[first : number + 1]) for number, first in enumerate(firsts)]
    rates = [
        sum(observed.values()) * 1000 / (end - grid.times[first])
        for observed, end, first in zip(smoothed, ends, firsts, strict=True)
    ]
    buckets = sorted({bucket for step in steps for bucket, count in step.items() if count})
    return {
        "times": ends,
        "rate": rates,
        "quantiles": {f"p{q * 100:.0f}": [finite(quantile(q, step)) for step in smoothed] for q in QUANTILES},
        "buckets": [[finite(bucket.lower), finite(bucket.upper)] for bucket in buckets],
        "counts": [[step.get(bucket, 0.0) for step in steps] for bucket in buckets],
        "left_out": len(all_series) - len(used),
    }


def line_label(labels: Labels, shown: set[str]) -> str:
    """Return the labels that tell a line from the others."""
    return ", ".join(f"{name}={value}" for name, value in labels if name in shown)


def finite(value: float | None) -> float | None:
    """Return a number that JSON has; None for the others."""
    return value if value is not None and math.isfinite(value) else None


def _last(series: StoredSeries, store: Store, window: int, *, is_rate: bool) -> float:
    if is_rate:
        return series.rate(store.now, window) or 0.0
    return series.values[-1] if series.values else 0.0


def _grid(store: Store, all_series: Iterable[StoredSeries]) -> Grid:
    """Return the grid of the series with the most points."""
    times = max((series.times for series in all_series), key=len, default=array("q"))
    since = bisect_left(times, store.now - int(store.keep * 1000))
    return Grid(times[since:].tolist(), store.interval // 2)


def _growth(all_series: Iterable[StoredSeries], grid: Grid) -> list[dict[Bucket, float]]:
    """Return how many observations each bucket got in each step."""
    classic: list[dict[float, float]] = [{} for _ in grid.times[1:]]
    native: list[dict[Bucket, float]] = [{} for _ in grid.times[1:]]
    for series in all_series:
        if series.role is Role.BUCKET:
            _add_classic(series, grid, classic)
        elif series.role is Role.NATIVE:
            _add_native(series, grid, native)
    return [total([of_classic(cumulative), buckets]) for cumulative, buckets in zip(classic, native, strict=True)]


def _add_classic(series: StoredSeries, grid: Grid, steps: Sequence[dict[float, float]]) -> None:
    bound = series.bound
    for at in range(1, len(series.times)):
        if 0 <= (place := grid.place(series.times[at])) < len(steps):
            step = steps[place]
            step[bound] = step.get(bound, 0.0) + grown_by(series.values[at - 1], series.values[at])


def _add_native(series: StoredSeries, grid: Grid, steps: Sequence[dict[Bucket, float]]) -> None:
    states = (each.unpacked() for each in series.distributions)
    for time, (before, after) in zip(series.times[1:], pairwise(states), strict=True):
        if 0 <= (place := grid.place(time)) < len(steps):
            step = steps[place]
            for bucket, count in increase(before, after).items():
                step[bucket] = step.get(bucket, 0.0) + count
