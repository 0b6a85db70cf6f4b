"""The report as the receiver in the package sees it: from the raw samples, one of which is printed."""

from __future__ import annotations

from collections import defaultdict

from examples.launcher.report import DURATION, PROCESS, Outcome, Report
from examples.launcher.traffic import Traffic
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, Series
from opentelemetry.exporter.prometheus_remote_write.receiver.notation import series_text


def counted(receiver: Receiver) -> float:
    """How many requests the receiver knows of."""
    return sum(_last(series) for series in receiver.series(f"{DURATION}_count"))


def read(receiver: Receiver, traffic: Traffic) -> Report:
    """Read the report from what was received, and print how much that was."""
    _introduce(receiver)
    count = receiver.series(f"{DURATION}_count")
    rates: dict[str, float] = defaultdict(float)
    for series in count:
        rates[series.label("http_route")] += _increase(series, traffic) / (traffic.end - traffic.begin)
    buckets: dict[str, dict[float, float]] = defaultdict(lambda: defaultdict(float))
    for series in receiver.series(f"{DURATION}_bucket"):
        buckets[series.label("http_route")][float(series.label("le"))] += _last(series)
    target = receiver.series("target_info")
    return Report(
        requests={_outcome(series): _last(series) for series in count},
        infinite={_outcome(series): _last(series) for series in receiver.series(f"{DURATION}_bucket", le="+Inf")},
        rates=rates,
        medians={route: quantile(0.5, cumulative) for route, cumulative in buckets.items()},
        p95={route: quantile(0.95, cumulative) for route, cumulative in buckets.items()},
        process={name: sum(map(_last, found)) for name in PROCESS if (found := receiver.series(name))},
        target=dict(target[0].labels) if len(target) == 1 else {},
    )


def quantile(q: float, cumulative: dict[float, float]) -> float:
    """Estimate a quantile as PromQL's histogram_quantile does: linearly inside the bucket that it falls into.

    Args:
        q: From 0 to 1.
        cumulative: By upper bound, how many values are not above it; the bound +Inf has them all.
    """
    rank = q * cumulative[float("inf")]
    below, lower = 0.0, 0.0
    for bound, count in sorted(cumulative.items()):
        if count >= rank:
            return lower if bound == float("inf") else lower + (bound - lower) * (rank - below) / (count - below)
        below, lower = count, bound
    raise ValueError("the bucket +Inf does not have all values")


def _introduce(receiver: Receiver) -> None:
    everything = {series.labels for received in receiver.received for series in received.series}
    first = receiver.series(f"{DURATION}_count")[:1]
    print(f"{len(receiver.received)} requests brought {len(everything)} series. One of them:")
    print(*(f"    {series_text(series.labels)} {_last(series):g}\n" for series in first))


def _outcome(series: Series) -> Outcome:
    return series.label("http_route"), series.label("http_response_status_code")


def _last(series: Series) -> float:
    return series.samples[-1].value


def _increase(series: Series, traffic: Traffic) -> float:
    """What was added while the requests were sent; a counter begins at zero."""
    before = [sample.value for sample in series.samples if sample.timestamp <= traffic.begin * 1000]
    until = [sample.value for sample in series.samples if sample.timestamp <= traffic.end * 1000]
    return (until[-1] if until else 0) - (before[-1] if before else 0)
