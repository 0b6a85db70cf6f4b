"""The dashboard of the exporter: what it delivers, what it loses and why, what waits, and what it costs."""

from __future__ import annotations

from typing import Any

from grafana_foundation_sdk.builders import dashboard

from examples.monitoring.build.metrics import (
    LAST_SUCCESS,
    OPERATION,
    POINTS,
    PROTOCOL,
    RENEWAL_FAILURES,
    REQUESTS,
    RETRIES,
    SENT,
    SERIES,
    SERIES_DROPPED,
    SERIES_LIMIT,
    WAITING_BYTES,
    WAITING_SECONDS,
    label,
    legend,
)
from examples.monitoring.build.panels import board, graph, number, query

REASON = "error.type"
STATUS = "http.response.status_code"
BODY = "prometheus_remote_write.body"
METRIC = "prometheus_remote_write.metric"
SECRET = "prometheus_remote_write.secret"
VERSION = "network.protocol.version"


def exporter() -> dashboard.Dashboard:
    """Return the dashboard. Its metrics need OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED=true."""
    made = board(
        "exporter",
        "Remote Write exporters",
        "What exporters deliver and lose; needs OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED=true in the applications.",
    )
    for row, panels in (("Now", _now()), ("Data points", _points()), ("Requests", _requests()), ("Series", _series())):
        made = made.with_row(dashboard.Row(row))
        for panel in panels:
            made = made.with_panel(panel)
    return made


def _now() -> list[Any]:
    lost = f'{label(REASON)}!=""'
    return [
        number(
            "Since the last success",
            "How long ago an export was last accepted as a whole. More than three intervals: not all is delivered.",
            "s",
            query(f"time() - max by (job) ({LAST_SUCCESS.where()})", "{{job}}"),
        ),
        number(
            "Lost in the last hour",
            "How many data points were given up for good.",
            "short",
            query(f"sum(increase({POINTS.where(lost)}[1h])) or vector(0)"),
        ),
        number(
            "Waiting",
            "How many bytes wait to be sent again, compressed, in the process where it is most.",
            "bytes",
            query(f"max({WAITING_BYTES.where()})"),
        ),
        number(
            "Version of Remote Write",
            "How many exporters speak which version.",
            "short",
            query(f"count by ({label(VERSION)}) ({PROTOCOL.where()})", legend(VERSION)),
        ),
    ]


def _points() -> list[Any]:
    reason = label(REASON)
    return [
        graph(
            "Delivered per second",
            "How many data points the receiver accepts, by job.",
            "ops",
            query(f"""sum by (job) ({POINTS.rate(f'{reason}=""')})""", "{{job}}"),
        ),
        graph(
            "Lost per second, and why",
            "How many data points are given up, by job and reason. Nothing: none has been.",
            "ops",
            query(f"""sum by (job, {reason}) ({POINTS.rate(f'{reason}!=""')})""", f"{{{{job}}}} {legend(REASON)}"),
        ),
        graph(
            "Waiting, for how long",
            "How old the oldest of what waits to be sent again is, by instance.",
            "s",
            query(f"max by (instance) ({WAITING_SECONDS.where()})", "{{instance}}"),
        ),
    ]


def _requests() -> list[Any]:
    status, reason, body = label(STATUS), label(REASON), label(BODY)
    rate = OPERATION.rate
    return [
        graph(
            "Duration of an export",
            "How long an export takes on average, retries included. It has to stay below the interval.",
            "s",
            query(
                f"sum by (job) ({rate(suffix='_sum')}) / sum by (job) ({rate(suffix='_count')})"
                f" or histogram_sum(sum by (job) ({rate()})) / histogram_count(sum by (job) ({rate()}))",
                "{{job}}",
            ),
        ),
        graph(
            "Requests per second, by answer",
            "How many requests had which status, or failed for which reason; and how many were repetitions.",
            "reqps",
            query(f"sum by ({status}, {reason}) ({REQUESTS.rate()})", f"{legend(STATUS)}{legend(REASON)}"),
            query(f"sum({RETRIES.rate()})", "repetitions"),
        ),
        graph(
            "Bytes per second",
            "How much is sent, compressed, and how much it was before.",
            "Bps",
            query(f"sum by ({body}) ({SENT.rate()})", legend(BODY)),
        ),
        graph(
            "Secrets that could not be renewed",
            "How often a password, token or certificate could not be had anew in the last hour. What is there"
            " stays in use as long as it is valid.",
            "short",
            query(
                f"sum by (job, {label(SECRET)}) (increase({RENEWAL_FAILURES.where()}[1h])) or vector(0)",
                f"{{{{job}}}} {legend(SECRET)}",
            ),
            width=24,
        ),
    ]


def _series() -> list[Any]:
    metric = label(METRIC)
    return [
        graph(
            "Series",
            "How many series a process sends, and how many it may (OTEL_EXPORTER_PRW_MAX_SERIES), by instance.",
            "short",
            query(f"sum by (instance) ({SERIES.where()})", "{{instance}}"),
            query(f"max by (instance) ({SERIES_LIMIT.where()})", "{{instance}} limit"),
            width=12,
        ),
        graph(
            "Beyond the limit, by metric",
            "How many data points a second exceed the limit and are dropped. Nothing: none has been.",
            "ops",
            query(f"topk(10, sum by ({metric}) ({SERIES_DROPPED.rate()}))", legend(METRIC)),
            width=12,
        ),
    ]
