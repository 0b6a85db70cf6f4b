"""The dashboard of the exporter: what it delivers, what it loses and why, and how long it takes."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from examples.monitoring.build.metrics import INFLIGHT, OPERATION, POINTS, label, legend
from examples.monitoring.build.panels import board, graph, number, query

REASON = "error.type"


def exporter() -> dashboard.Dashboard:
    """Return the dashboard. Its metrics need OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED=true."""
    reason = label(REASON)
    lost, accepted = f'{reason}!=""', f'{reason}=""'
    made = board(
        "exporter",
        "Remote Write exporters",
        "What exporters deliver and lose; needs OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED=true in the applications.",
    )
    for panel in (
        number(
            "Since the last push",
            "How long ago the job's newest process pushed. More than three intervals: nobody delivers.",
            "s",
            query('time() - max by (job) (timestamp(target_info{job=~"$job",instance=~"$instance"}))', "{{job}}"),
        ),
        number(
            "Delivered in the last hour",
            "How many data points the receiver has accepted.",
            "short",
            query(f"sum(increase({POINTS.where(accepted)}[1h]))"),
        ),
        number(
            "Lost in the last hour",
            "How many data points were given up for good.",
            "short",
            query(f"sum(increase({POINTS.where(lost)}[1h])) or vector(0)"),
        ),
        number(
            "On their way",
            "How many data points have been collected and are neither accepted nor given up.",
            "short",
            query(f"sum({INFLIGHT.where()})"),
        ),
        graph(
            "Delivered per second",
            "How many data points the receiver accepts, by job.",
            "ops",
            query(f"sum by (job) ({POINTS.rate(accepted)})", "{{job}}"),
            width=12,
        ),
        graph(
            "Lost per second, and why",
            "How many data points are given up, by job and reason. Nothing: none has been.",
            "ops",
            query(f"sum by (job, {reason}) ({POINTS.rate(lost)})", f"{{{{job}}}} {legend(REASON)}"),
            width=12,
        ),
        graph(
            "Duration of an export",
            "How long an export takes, on average, with all its requests and retries."
            " It has to stay below the interval.",
            "s",
            query(
                f"sum by (job) ({OPERATION.rate(suffix='_sum')}) / sum by (job) ({OPERATION.rate(suffix='_count')})"
                f" or histogram_sum(sum by (job) ({OPERATION.rate()}))"
                f" / histogram_count(sum by (job) ({OPERATION.rate()}))",
                "{{job}}",
            ),
            width=12,
        ),
        graph(
            "Exports per second, by what went wrong",
            "How many exports ended, by reason; without one they were delivered.",
            "ops",
            query(
                f"sum by (job, {reason}) ({OPERATION.rate(suffix='_count')} or histogram_count({OPERATION.rate()}))",
                f"{{{{job}}}} {legend(REASON)}",
            ),
            width=12,
        ),
    ):
        made = made.with_panel(panel)
    return made
