"""The report as Prometheus sees it: from its answers to PromQL, which are printed."""

from __future__ import annotations

import math

from examples.launcher.report import DURATION, PROCESS, Outcome, Report
from examples.launcher.traffic import Traffic
from tests.servers.prometheus_api import InstantSample, PrometheusApi

_JOB = 'job="shop"'


def counted(prometheus: PrometheusApi) -> float:
    """How many requests Prometheus knows of."""
    answer = prometheus.query(f"sum({DURATION}_count{{{_JOB}}})")
    return answer[0].value or 0 if answer else 0


def read(prometheus: PrometheusApi, traffic: Traffic) -> Report:
    """Read the report from answers to PromQL, each printed with its question."""
    during = f"{math.ceil(traffic.end - traffic.begin)}s"
    outcome = "http_route, http_response_status_code"

    def ask(promql: str, at: float | None = None) -> list[InstantSample]:
        answer = prometheus.query(promql, at)
        print(f"PromQL> {promql}")
        for element in answer:
            labels = ", ".join(f'{name}="{value}"' for name, value in element.labels.items() if name != "__name__")
            print(f"        {element.value:<12.6g} {{{labels}}}")
        print()
        return answer

    def by_route(promql: str) -> dict[str, float]:
        return {each.labels.get("http_route", ""): each.value or 0 for each in ask(promql, traffic.end)}

    def by_outcome(promql: str) -> dict[Outcome, float]:
        return {
            (each.labels.get("http_route", ""), each.labels["http_response_status_code"]): each.value or 0
            for each in ask(promql)
        }

    def quantile(q: float) -> dict[str, float]:
        return by_route(
            f"histogram_quantile({q}, sum by (http_route, le) (rate({DURATION}_bucket{{{_JOB}}}[{during}])))"
        )

    target = ask(f"target_info{{{_JOB}}}")
    return Report(
        requests=by_outcome(f"sum by ({outcome}) ({DURATION}_count{{{_JOB}}})"),
        infinite=by_outcome(f'sum by ({outcome}) ({DURATION}_bucket{{{_JOB}, le="+Inf"}})'),
        rates=by_route(f"sum by (http_route) (rate({DURATION}_count{{{_JOB}}}[{during}]))"),
        medians=quantile(0.5),
        p95=quantile(0.95),
        process={name: answer[0].value or 0 for name in PROCESS if (answer := ask(f"sum({name}{{{_JOB}}})"))},
        target=target[0].labels if len(target) == 1 else {},
    )
