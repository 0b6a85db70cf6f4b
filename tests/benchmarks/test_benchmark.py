"""That the benchmark still runs: on a tiny load, without peers, and without a look at how long anything takes."""

import json
import sys

import pytest

from tests.benchmarks.__main__ import FIGURES
from tests.benchmarks.effort import Effort
from tests.benchmarks.exporters import OURS_1, OURS_2
from tests.benchmarks.load import Application, Load
from tests.benchmarks.table import Row, as_json, markdown, plain

TINY = Effort(
    load=Load(2, 1, 10),
    rounds=1,
    predecessor_rounds=0,
    fresh=1,
    growth=(Load(1, 1, 5),),
    growth_rounds=1,
    growth_series=1,
    churned=1,
    seconds=0.01,
    starts=1,
)
MAY_BE_NOTHING = ("imported in every process", "resident after exports")
OURS = {OURS_1: sys.executable, OURS_2: sys.executable}


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_is_measured(figure):
    rows = list(FIGURES[figure](OURS, TINY))

    assert rows
    assert [row.figure for row in rows if row.value <= 0 and not row.figure.startswith(MAY_BE_NOTHING)] == []


def test_the_load_is_what_it_says_it_is():
    load = Load(counters=3, histograms=2, attribute_sets=5)
    [resource] = Application(load).collect().resource_metrics
    points = [metric.data.data_points for scope in resource.scope_metrics for metric in scope.metrics]

    assert sum(map(len, points)) == load.points == 25
    assert load.series == 3 * 5 + 2 * 5 * (len(points[-1][0].bucket_counts) + 2)


@pytest.mark.parametrize(
    ("value", "limit", "met"),
    [
        pytest.param(1.0, 1 / 2, True, id="just met"),
        pytest.param(1.1, 1 / 2, False, id="missed"),
        pytest.param(1.1, None, None, id="no target"),
    ],
)
def test_a_target_is_the_greatest_ratio(value, limit, met):
    assert Row("warm", value, "s", 2.0, "peer", limit).met is met


@pytest.mark.parametrize(("value", "met"), [pytest.param(0, True, id="none"), pytest.param(1, False, id="one")])
def test_a_target_may_be_that_there_is_none(value, met):
    assert Row("imported", value, "modules", 0, "allowed", 0.0).met is met


def test_the_table_is_written_in_three_forms():
    rows = [Row("warm", 0.0104, "s", 1.56, "predecessor", 1 / 100), Row("bytes", 480_000, "B", 240_000, "OTLP")]

    assert plain(rows).splitlines() == [
        "figure  measured  compared with       ratio  target  met",
        "warm    10.4 ms   1.56 s predecessor  1/150  1/100   OK",
        "bytes   480 kB    240 kB OTLP         2.00",
    ]
    assert markdown(rows).splitlines()[1:3] == [
        "| --- | --- | --- | --- | --- | --- |",
        "| warm | 10.4 ms | 1.56 s predecessor | 1/150 | 1/100 | OK |",
    ]
    assert json.loads(json.dumps(as_json({"cores": "2"}, rows)))["figures"][1]["ratio"] == 2.0
