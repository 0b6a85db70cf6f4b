"""The dashboard of a web application: its requests, and its process."""

from __future__ import annotations

from typing import Any, NamedTuple

from grafana_foundation_sdk.builders import dashboard

from examples.monitoring.build.metrics import (
    ACTIVE_REQUESTS,
    COLLECTIONS,
    CPU_TIME,
    DISK_IO,
    FILES,
    MEMORY,
    REQUEST_DURATION,
    SWITCHES,
    THREADS,
    VIRTUAL_MEMORY,
    label,
    legend,
)
from examples.monitoring.build.panels import board, graph, heat, query

ROUTE = "http.route"
STATUS = "http.response.status_code"
FAST = 0.1  # seconds; one of the boundaries that the conventions advise


class Durations(NamedTuple):
    """How a histogram is asked: its count's rate, a quantile, the share of what was fast, and its buckets."""

    native: bool

    def count(self, by: str, *matchers: str) -> str:
        if self.native:
            return f"sum by ({by}) (histogram_count({REQUEST_DURATION.rate(*matchers)}))"
        return f"sum by ({by}) ({REQUEST_DURATION.rate(*matchers, suffix='_count')})"

    def quantile(self, share: float, by: str) -> str:
        if self.native:
            return f"histogram_quantile({share}, sum by ({by}) ({REQUEST_DURATION.rate()}))"
        return f"histogram_quantile({share}, sum by ({by}, le) ({REQUEST_DURATION.rate(suffix='_bucket')}))"

    def fast(self, by: str) -> str:
        if self.native:
            return f"histogram_fraction(0, {FAST}, sum by ({by}) ({REQUEST_DURATION.rate()}))"
        fast = REQUEST_DURATION.rate(f'le="{FAST}"', suffix="_bucket")
        return f"sum by ({by}) ({fast}) / sum by ({by}) ({REQUEST_DURATION.rate(suffix='_count')})"

    def buckets(self) -> str:
        if self.native:
            return f"sum({REQUEST_DURATION.rate()})"
        return f"sum by (le) ({REQUEST_DURATION.rate(suffix='_bucket')})"


def application(*, native: bool) -> dashboard.Dashboard:
    """Return the dashboard.

    Args:
        native: Whether the histograms are native ones; else they are classic, which is the exporter's default.
    """
    kind = "native" if native else "classic"
    made = board(
        "application-native" if native else "application",
        "A Python application" + (", native histograms" if native else ""),
        f"Requests and process of an application that OpenTelemetry instruments; for {kind} histograms.",
    )
    for row, panels in (("Requests", _requests(Durations(native))), ("Process", _process())):
        made = made.with_row(dashboard.Row(row))
        for panel in panels:
            made = made.with_panel(panel)
    return made


def _requests(durations: Durations) -> list[Any]:
    route, status = label(ROUTE), label(STATUS)
    failed = f'{status}=~"5.."'
    return [
        graph(
            "Requests per second",
            "How many requests were answered, by route.",
            "reqps",
            query(durations.count(route), legend(ROUTE)),
        ),
        graph(
            "Errors",
            "The share of requests that were answered with 500 or above, by route. No line: none was asked for.",
            "percentunit",
            query(f"{durations.count(route, failed)} / {durations.count(route)}", legend(ROUTE)),
        ),
        graph(
            "Answers per second, by status",
            "How many requests were answered, by the status of the answer.",
            "reqps",
            query(durations.count(status), legend(STATUS)),
        ),
        graph(
            "Duration of a request",
            "The duration that half of the requests, 95 % and 99 % of them do not exceed, by route. Points are"
            " exemplars, which lead to the trace of one request.",
            "s",
            query(durations.quantile(0.5, route), f"p50 {legend(ROUTE)}"),
            query(durations.quantile(0.95, route), f"p95 {legend(ROUTE)}"),
            query(durations.quantile(0.99, route), f"p99 {legend(ROUTE)}", exemplars=True),
            width=16,
        ),
        graph(
            "Within 100 ms",
            "The share of requests that were answered within a tenth of a second, by route.",
            "percentunit",
            query(durations.fast(route), legend(ROUTE)),
        ),
        heat(
            "Durations",
            "How many requests took how long.",
            "s",
            query(durations.buckets(), "{{le}}"),
            native=durations.native,
        ),
        graph(
            "Requests under way",
            "How many requests are being answered, by instance.",
            "short",
            query(f"sum by (instance) ({ACTIVE_REQUESTS.where()})", "{{instance}}"),
        ),
    ]


def _process() -> list[Any]:
    return [
        graph(
            "CPU",
            "How much of one core a process uses, in its own code (user) and in the kernel (system).",
            "percentunit",
            query(f"sum by (instance, type) ({CPU_TIME.rate()})", "{{instance}} {{type}}"),
        ),
        graph(
            "Memory",
            "How much of the machine's memory a process occupies, and its address space.",
            "bytes",
            query(f"sum by (instance) ({MEMORY.where()})", "{{instance}} resident"),
            query(f"sum by (instance) ({VIRTUAL_MEMORY.where()})", "{{instance}} virtual"),
        ),
        graph(
            "Threads and open files",
            "How many threads a process has, and how many files and sockets it has open.",
            "short",
            query(f"sum by (instance) ({THREADS.where()})", "{{instance}} threads"),
            query(f"sum by (instance) ({FILES.where()})", "{{instance}} files"),
        ),
        graph(
            "Garbage collections per second",
            "How often Python looked for objects that only refer to each other, by generation.",
            "ops",
            query(
                f"sum by ({label('cpython.gc.generation')}) ({COLLECTIONS.rate()})",
                f"generation {legend('cpython.gc.generation')}",
            ),
        ),
        graph(
            "Disk",
            "How much a process reads and writes.",
            "Bps",
            query(f"sum by (instance, direction) ({DISK_IO.rate()})", "{{instance}} {{direction}}"),
        ),
        graph(
            "Context switches per second",
            "How often a process gave up the CPU (voluntary) or lost it to another (involuntary).",
            "ops",
            query(f"sum by (instance, type) ({SWITCHES.rate()})", "{{instance}} {{type}}"),
        ),
    ]
