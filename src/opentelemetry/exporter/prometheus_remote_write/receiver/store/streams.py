"""The streams of a metric: what has the same labels, which of a histogram is all its buckets, its sum and its count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ...model.remote_write import BUCKET_BOUND, METRIC_NAME, Exemplar, Labels
from .distribution import Bucket, of_classic, quantile
from .family import StoredFamily
from .store import Store
from .stored_series import Role, StoredSeries
from .summary import QUANTILE_WINDOW, TREND_CELLS, rate_window, stopped

_BOUND = {METRIC_NAME, BUCKET_BOUND}


class StoredStream(NamedTuple):
    """A stream at a glance.

    Its ``labels`` have neither the name nor ``le``. ``value`` is the last value, of a histogram the number of
    observations; ``distribution`` and quantiles are of the last minute, ``trend`` of the last points.
    """

    labels: Labels
    value: float | None
    rate: float | None
    p50: float | None
    p95: float | None
    distribution: Mapping[Bucket, float]
    trend: tuple[float | None, ...]
    exemplars: tuple[Exemplar, ...]
    has_stopped: bool
    age: float


def streams(
    store: Store, family: StoredFamily, chosen: Iterable[StoredSeries] | None = None, limit: int = 500
) -> list[StoredStream]:
    """Return the streams of a metric, by their labels, with the store's lock held.

    Args:
        store: The store.
        family: The metric.
        chosen: Which of its series to look at; all, if not given.
        limit: How many streams to return at most.
    """
    grouped = by_stream(family.series.values() if chosen is None else chosen)
    return [_stream(store, family, labels, grouped[labels]) for labels in sorted(grouped)[:limit]]


def by_stream(all_series: Iterable[StoredSeries]) -> dict[Labels, list[StoredSeries]]:
    """Return series by the labels of their stream."""
    grouped: dict[Labels, list[StoredSeries]] = {}
    for series in all_series:
        labels = tuple(label for label in series.labels if label[0] not in _BOUND)
        grouped.setdefault(labels, []).append(series)
    return grouped


def differing(all_labels: Iterable[Labels]) -> set[str]:
    """Return the names of the labels that not all label sets have with the same value."""
    sets = [set(labels) for labels in all_labels]
    shared = set.intersection(*sets) if sets else set()
    return {name for labels in sets for name, _ in labels - shared}


def _stream(store: Store, family: StoredFamily, labels: Labels, parts: list[StoredSeries]) -> StoredStream:
    now, window = store.now, rate_window(store)
    since = now - max(QUANTILE_WINDOW, window)
    main = next((part for part in parts if part.role not in {Role.BUCKET, Role.SUM}), parts[0])
    distribution = of_classic({part.bound: part.grown(since) for part in parts if part.role is Role.BUCKET})
    if main.role is Role.NATIVE:
        distribution = main.observed(since)
    is_rate = family.is_cumulative
    has_stopped = stopped(store, main)
    rate = main.rate(now, window) if is_rate else None
    return StoredStream(
        labels=labels,
        value=main.values[-1] if main.values else None,
        rate=0.0 if is_rate and has_stopped else rate,
        p50=quantile(0.5, distribution),
        p95=quantile(0.95, distribution),
        distribution=distribution,
        trend=_trend(main, window, is_rate=is_rate),
        exemplars=tuple(exemplar for part in parts for exemplar in part.exemplars),
        has_stopped=has_stopped,
        age=max(store.clock() - main.heard, 0.0),
    )


def _trend(series: StoredSeries, window: int, *, is_rate: bool) -> tuple[float | None, ...]:
    if not is_rate:
        return tuple(series.values[-TREND_CELLS:])
    first = series.times[-TREND_CELLS - 1] if len(series.times) > TREND_CELLS else 0
    return tuple(rate for _, rate in series.rates(first, window))[-TREND_CELLS:]
