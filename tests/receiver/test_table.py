from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.receiver import Histogram, Sample, Series
from opentelemetry.exporter.prometheus_remote_write.receiver.notation import value_text
from opentelemetry.exporter.prometheus_remote_write.receiver.table import Row, Table, cut, render
from tests.receiver.messages import NOW
from tests.receiver.pushes import point, push


def test_rows_are_aligned_and_sorted_with_shared_labels_written_once():
    table = Table()
    table.add(
        push(
            *(point("hits_bucket", 2.0, job="shop", le=le, route="/") for le in ("10", "5", "+Inf", "0.5")),
            point("depth", 1234.5, job="shop"),
        )
    )
    table.add(push(point("depth", 1230.0, job="shop"), point("hits_bucket", 5.0, job="shop", le="5", route="/")))
    assert render(table.rows) == [
        'on every series: job="shop"',
        "SERIES       VALUE  CHANGE  LABELS",
        "depth         1230    -4.5",
        'hits_bucket      2     new  le="0.5", route="/"',
        'hits_bucket      5      +3  le="5", route="/"',
        'hits_bucket      2     new  le="10", route="/"',
        'hits_bucket      2     new  le="+Inf", route="/"',
    ]


def test_adding_returns_the_rows_of_that_push_alone():
    table = Table()
    table.add(push(point("a", 1.0), point("b", 2.0)))
    assert table.add(push(point("b", 3.0))) == [Row((("__name__", "b"),), 3.0, 2.0)]
    assert len(table.rows) == 2


def test_last_of_several_samples_is_shown():
    series = Series((("__name__", "a"),), samples=(Sample(1.0, NOW), Sample(2.0, NOW + 1)))
    assert Table().add(push(series)) == [Row((("__name__", "a"),), 2.0, None)]


def test_series_without_a_value_has_no_row():
    assert Table().add(push(Series((("__name__", "a"),)))) == []


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        (1.0, 1.0, "="),
        (1.0, 3.5, "+2.5"),
        (1.0, -1.0, "-2"),
        (1.0, math.inf, "+Inf"),
        (math.inf, math.inf, ""),
        (1.0, math.nan, ""),
        (math.nan, 1.0, ""),
        (Histogram(NOW, 3, 1.5, 0), Histogram(NOW, 5, 9.5, 0), "+2"),
        (3.0, Histogram(NOW, 5, 9.5, 0), "+2"),
    ],
)
def test_change_is_the_difference_to_the_push_before(before, now, change):
    table = Table()
    table.add(push(point("a", before)))
    line = render(table.add(push(point("a", now))))[1]
    assert line.split(value_text(now), 1)[1].strip() == change


def test_labels_of_a_single_series_stand_in_its_row():
    assert render(Table().add(push(point("up", 1.0, job="shop"))))[-1] == 'up          1     new  job="shop"'


def test_lines_are_cut_to_the_terminal_and_the_rest_is_counted():
    table = Table()
    table.add(push(*(point(f"metric_{number}", 1.0, route="/a/long/route" * number) for number in range(1, 9))))
    lines = render(table.rows, width=40, height=5)
    assert lines[-1] == "… and 5 more series"
    assert len(lines) == 5
    assert max(map(len, lines)) == 40
    assert render(table.rows, width=40, height=9)[-1].startswith("metric_8")


def test_columns_stay_aligned_beside_wide_and_combining_characters():
    plain, wide = render(Table().add(push(point("日本", 1.0, a="1"), point("plain", 22.0, a="2"))))[1:]
    assert wide == '日本        1     new  a="1"'
    assert plain == 'plain      22     new  a="2"'
    assert cut("日本語", 5) == "日本…"
    assert cut("日本語", 6) == "日本語"


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=12), st.dictionaries(st.sampled_from("abc"), st.text(min_size=1)), max_size=6
    ),
    st.integers(1, 60),
    st.integers(1, 12),
)
def test_table_never_exceeds_the_terminal_nor_writes_control_characters(names, width, height):
    table = Table()
    table.add(push(*(point(name, 1.0, **labels) for name, labels in names.items())))
    lines = render(table.rows, width=width, height=height)
    assert len(lines) <= height
    assert all(len(line) <= width + sum(not char.isascii() for char in line) for line in lines)
    assert all(line.isprintable() for line in lines)
