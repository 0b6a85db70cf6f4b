"""The demo's checks pass for what was sent, and each of them fails for something else."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from examples.launcher.from_receiver import quantile
from examples.launcher.report import PROCESS, Report, checks, table
from examples.launcher.traffic import Answered, Traffic

TRAFFIC = Traffic(
    [Answered("/checkout", "200", 0.06), Answered("/checkout", "500", 0.07), Answered("", "404", 0.004)],
    begin=100.0,
    end=101.0,
)
COUNTS = {("/checkout", "200"): 1.0, ("/checkout", "500"): 1.0, ("", "404"): 1.0}
RIGHT = Report(
    requests=COUNTS,
    infinite=COUNTS,
    rates={"/checkout": 2.1, "": 0.9},
    medians={"/checkout": 0.0625, "": 0.0025},
    p95={"/checkout": 0.074, "": 0.00475},
    process={**dict.fromkeys(PROCESS, 1.0), "process_memory_usage_bytes": 5e7},
    target={"job": "shop", "telemetry_sdk_language": "python"},
)


def failed(report):
    return [sentence.split()[0] for sentence, holds in checks(report, TRAFFIC, memory=6e7) if not holds]


def test_report_of_what_was_sent_passes():
    assert failed(RIGHT) == []


@pytest.mark.parametrize(
    ("wrong", "first_words"),
    [
        pytest.param({"requests": {**COUNTS, ("", "404"): 2.0}}, ["all", "the"], id="one request too many"),
        pytest.param({"requests": {}, "infinite": {}}, ["all", "the"], id="nothing counted"),
        pytest.param({"infinite": {**COUNTS, ("", "404"): 0.0}}, ["the"], id="the bucket +Inf lacks a value"),
        pytest.param({"rates": {"/checkout": 0.5, "": 0.9}}, ["the"], id="a rate far too low"),
        pytest.param({"rates": {"/checkout": 2.1}}, ["the"], id="no rate of a route"),
        pytest.param({"medians": {**RIGHT.medians, "/checkout": 0.02}}, ["p50"], id="quicker than the route can be"),
        pytest.param({"p95": {**RIGHT.p95, "/checkout": 0.2}}, ["p50"], id="slower than any client saw"),
        pytest.param({"p95": {**RIGHT.p95, "": math.nan}}, ["p50"], id="a percentile that is not a number"),
        pytest.param({"p95": {}}, ["p50"], id="no percentile"),
        pytest.param({"process": {}}, ["CPU"], id="no process"),
        pytest.param({"process": {**RIGHT.process, PROCESS[1]: 1.0}}, ["CPU"], id="memory in the wrong unit"),
        pytest.param({"target": {}}, ["target_info"], id="no target_info"),
        pytest.param(
            {"target": {**RIGHT.target, "job": "other"}}, ["target_info"], id="the target_info of another job"
        ),
    ],
)
def test_report_of_something_else_fails(wrong, first_words):
    assert failed(replace(RIGHT, **wrong)) == first_words


def test_table_counts_answers_by_class():
    assert [line.split() for line in table(RIGHT, TRAFFIC)][:3] == [
        ["ROUTE", "SENT", "ARRIVED", "4xx", "5xx", "PER", "SECOND", "P50", "P95"],
        ["(no", "such", "route)", "1", "1", "1", "0", "0.9", "2.5", "ms", "4.8", "ms"],
        ["/checkout", "2", "2", "0", "1", "2.1", "62.5", "ms", "74.0", "ms"],
    ]


@pytest.mark.parametrize(
    ("q", "cumulative", "value"),
    [
        pytest.param(0.5, {5.0: 4, 10.0: 8, math.inf: 8}, 5.0, id="at a bound"),
        pytest.param(0.25, {5.0: 4, 10.0: 8, math.inf: 8}, 2.5, id="within the first bucket, which begins at zero"),
        pytest.param(0.75, {5.0: 4, 10.0: 8, math.inf: 8}, 7.5, id="within a later bucket"),
        pytest.param(0.75, {5.0: 4, math.inf: 8}, 5.0, id="above the last finite bound, that bound"),
    ],
)
def test_quantile_is_that_of_promql(q, cumulative, value):
    assert quantile(q, cumulative) == value
