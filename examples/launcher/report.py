"""What arrived, as a table for people and as checks against what was sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from examples.launcher.traffic import PRODUCTS, Traffic

DURATION = "http_server_request_duration_seconds"
"""The histogram of http.server.request.duration, by its Prometheus name."""

PROCESS = (
    "process_cpu_time_seconds_total",
    "process_memory_usage_bytes",
    "process_thread_count",
    "process_open_file_descriptor_count",
)

Outcome = tuple[str, str]
"""A route and a status."""

_ABOUT = (0.5, 2)
"""What is about right: what the receiver sees between two pushes, memory that is read at two moments."""

# How long a request takes at least, as a bound of the histogram's buckets: app.py sleeps a little longer.
_AT_LEAST = {PRODUCTS: 0.01, "/checkout": 0.05}


@dataclass(frozen=True)
class Report:
    """What a receiver knows of the shop.

    Args:
        requests: The histogram's count.
        infinite: The histogram's bucket +Inf, which counts the same.
        rates: Requests per second by route, while they were sent.
        medians: In seconds by route, as the buckets tell.
        p95: The 95th percentile, likewise.
        process: Metrics of the process by name.
        target: The labels of target_info.
    """

    requests: Mapping[Outcome, float]
    infinite: Mapping[Outcome, float]
    rates: Mapping[str, float]
    medians: Mapping[str, float]
    p95: Mapping[str, float]
    process: Mapping[str, float]
    target: Mapping[str, str]


class Check(NamedTuple):
    """Something that has to be true, and whether it is."""

    sentence: str
    holds: bool


def checks(report: Report, traffic: Traffic, memory: float) -> Iterator[Check]:
    """Compare what arrived with what was sent.

    Args:
        report: What arrived.
        traffic: What was sent.
        memory: The shop's resident memory in bytes, as the operating system says.
    """
    sent = Counter((each.route, each.status) for each in traffic.answered)
    yield Check(
        f"all {sum(sent.values())} requests were counted under their route and status", dict(report.requests) == sent
    )
    yield Check("the bucket +Inf of every histogram equals its count", report.infinite == report.requests != {})
    yield Check("the rates are those at which the requests were sent", _rates_hold(report, traffic))
    yield Check(
        "p50 and p95 are neither below what a route takes nor above what a client saw", _quantiles_hold(report, traffic)
    )
    yield Check("CPU time, memory, threads and open files of the process arrived", _process_holds(report, memory))
    yield Check('target_info describes the job "shop"', _target_holds(report))


def table(report: Report, traffic: Traffic) -> Iterator[str]:
    """Write the report as lines."""
    yield f"{'ROUTE':<24}{'SENT':>6}{'ARRIVED':>9}{'4xx':>6}{'5xx':>6}{'PER SECOND':>12}{'P50':>10}{'P95':>10}"
    sent = Counter(each.route for each in traffic.answered)
    for route in sorted(sent):
        by_class: Counter[str] = Counter()
        for (its_route, status), count in report.requests.items():
            if its_route == route:
                by_class[status[0]] += int(count)
        yield (
            f"{route or '(no such route)':<24}{sent[route]:>6}{by_class.total():>9}{by_class['4']:>6}{by_class['5']:>6}"
            f"{report.rates.get(route, 0):>12.1f}{_milliseconds(report.medians.get(route))}"
            f"{_milliseconds(report.p95.get(route))}"
        )
    yield ""
    yield f"{'THE PROCESS':<40}{'VALUE':>14}"
    for name, value in report.process.items():
        yield f"{name:<40}{value:>14.10g}"


def _milliseconds(seconds: float | None) -> str:
    return f"{'-':>10}" if seconds is None else f"{seconds * 1000:>7.1f} ms"


def _rates_hold(report: Report, traffic: Traffic) -> bool:
    sent = Counter(each.route for each in traffic.answered)
    seconds = traffic.end - traffic.begin
    return all(_is_about(report.rates.get(route, 0), count / seconds) for route, count in sent.items())


def _quantiles_hold(report: Report, traffic: Traffic) -> bool:
    slowest: dict[str, float] = {}
    for route, _, seconds in traffic.answered:
        slowest[route] = max(slowest.get(route, 0), seconds)
    return all(
        _AT_LEAST.get(route, 0) <= report.medians.get(route, -1) <= report.p95.get(route, -1) <= _bound_above(seconds)
        for route, seconds in slowest.items()
    )


def _is_about(value: float, expected: float) -> bool:
    least, most = _ABOUT
    return least * expected < value < most * expected


def _bound_above(seconds: float) -> float:
    """The upper bound of the bucket that a duration falls into, among those that the convention gives to durations."""
    bounds = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
    return next((bound for bound in bounds if seconds <= bound), bounds[-1])


def _process_holds(report: Report, memory: float) -> bool:
    return (
        set(report.process) == set(PROCESS)
        and all(value > 0 for value in report.process.values())
        and _is_about(report.process["process_memory_usage_bytes"], memory)
    )


def _target_holds(report: Report) -> bool:
    return report.target.get("job") == "shop" and report.target.get("telemetry_sdk_language") == "python"
