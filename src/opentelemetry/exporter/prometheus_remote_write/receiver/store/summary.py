"""One line about each metric: what a row of the screen, a line of the log and the page's list show."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from statistics import mean
from typing import NamedTuple

from .family import StoredFamily
from .store import Store
from .stored_series import Role, StoredSeries

TREND_CELLS = 10
"""How many steps of time a trend has."""

_INTERVALS_OF_A_RATE = 4
_SHORTEST_WINDOW = 4_000
QUANTILE_WINDOW = 60_000
"""Over how many milliseconds quantiles are taken, or over as many as rates, where that is more."""


class Summary(NamedTuple):
    """A metric at a glance; rates are per second, and None is what cannot be told.

    ``trend`` is how its rate (of a gauge: its mean value) was in ten steps of time, the last of which is now.
    ``total`` is what all series of a counter have counted. ``lowest`` and ``highest`` are a gauge's last values. It has
    stopped when all its series have.
    """

    name: str
    type: str
    unit: str
    help: str
    series: int
    total: float | None
    rate: float | None
    p50: float | None
    p95: float | None
    lowest: float | None
    highest: float | None
    trend: tuple[float | None, ...]
    has_stopped: bool
    age: float


def summaries(store: Store) -> list[Summary]:
    """Return one line about each metric, by name; ``target_info`` describes targets and is omitted."""
    with store.lock:
        return [summary(store, store.families[name]) for name in sorted(store.families) if name != "target_info"]


def summary(store: Store, family: StoredFamily) -> Summary:
    """Return one line about a metric, with the store's lock held."""
    now, window = store.now, rate_window(store)
    all_series = list(family.series.values())
    has_stopped = all(stopped(store, series) for series in all_series)
    total = rate = p50 = p95 = lowest = highest = None
    if family.is_cumulative:
        total = sum(series.values[-1] for series in all_series if series.values and counts_observations(series))
        rate = 0.0 if has_stopped else _rate(all_series, now, window)
        if family.growths:
            p50, p95 = family.quantiles(now - max(QUANTILE_WINDOW, window), (0.5, 0.95))
    else:
        values = [series.values[-1] for series in all_series if series.values and not series.has_ended]
        lowest, highest = (min(values), max(values)) if values else (None, None)
    said = family.described
    return Summary(
        name=family.name,
        type=family.type,
        unit=said.unit,
        help=said.help,
        series=len(all_series),
        total=total,
        rate=rate,
        p50=p50,
        p95=p95,
        lowest=lowest,
        highest=highest,
        trend=tuple(_trend(family, store)),
        has_stopped=has_stopped,
        age=max(store.clock() - max((series.heard for series in all_series), default=0.0), 0.0),
    )


def rate_window(store: Store) -> int:
    """Return over how many milliseconds rates are taken: four intervals, as Grafana does, and whole seconds."""
    return max(math.ceil(_INTERVALS_OF_A_RATE * store.interval / 1000) * 1000, _SHORTEST_WINDOW)


def stopped(store: Store, series: StoredSeries) -> bool:
    """Return whether a series is no longer sent: it has ended, its target has stopped, or it missed two exports."""
    sender = store.senders.get(series.target)
    return series.has_ended or sender is None or sender.has_stopped(store.clock()) or series.newest < sender.before_last


def counts_observations(series: StoredSeries) -> bool:
    """Return whether the growth of a series counts for its metric's rate: not that of buckets and sums."""
    return series.role not in {Role.BUCKET, Role.SUM}


def _rate(all_series: Iterable[StoredSeries], now: int, window: int) -> float | None:
    rates = [series.rate(now, window) for series in all_series if counts_observations(series)]
    known = [rate for rate in rates if rate is not None]
    return sum(known) if known else None


def _trend(family: StoredFamily, store: Store) -> Iterator[float | None]:
    """Yield the trend; its steps are two intervals long and end half an interval after the newest export."""
    interval = store.interval
    step = 2 * interval
    moments = family.moments
    end = (moments.times[-1] if moments.times else 0) + interval // 2
    missed = max(store.now - end, 0) // step
    cells: list[list[int]] = [[] for _ in range(TREND_CELLS)]
    for at in range(len(moments.times) - 1, -1, -1):
        cell = TREND_CELLS - 1 - missed - (end - moments.times[at]) // step
        if cell < 0:
            break
        cells[cell].append(at)
    for cell_moments in cells:
        if not cell_moments:
            yield None
        elif family.is_cumulative:
            yield sum(moments.grown[at] for at in cell_moments) * 1000 / step
        else:
            yield mean(moments.mean(at) for at in cell_moments)
