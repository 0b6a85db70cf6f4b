from __future__ import annotations

import io
import json
import math
import os

from opentelemetry.exporter.prometheus_remote_write.model.remote_write import Exemplar, Span
from opentelemetry.exporter.prometheus_remote_write.receiver import Histogram, Metadata, Sample, Series
from opentelemetry.exporter.prometheus_remote_write.receiver.display import JsonDisplay, PushDisplay, ScreenDisplay
from tests.receiver.messages import NOW
from tests.receiver.pushes import point, push, rejection

URL = "http://127.0.0.1:1/api/v1/write"


def test_json_is_one_object_a_sample_without_what_is_unset():
    out = io.StringIO()
    display = JsonDisplay(out)
    display.add(push(point("up", 1.0, job="shop"), point("depth", math.nan)))
    display.add(rejection("no"))
    assert list(map(json.loads, out.getvalue().splitlines())) == [
        {"protocol": "1.0", "labels": {"__name__": "up", "job": "shop"}, "timestamp": NOW, "value": 1.0},
        {"protocol": "1.0", "labels": {"__name__": "depth"}, "timestamp": NOW, "value": "NaN"},
    ]


def test_json_has_what_comes_beside_a_value():
    out = io.StringIO()
    histogram = Histogram(NOW, 3, math.inf, -53, 0.0, 0, (), (), (Span(0, 1),), (3,), (0.5,), 0, NOW - 9)
    series = Series(
        (("__name__", "x"),),
        (Sample(1.0, NOW - 1), Sample(2.0, NOW, NOW - 5)),
        exemplars=(Exemplar((("trace_id", "ab"),), -math.inf, NOW),),
        metadata=Metadata("counter", "Help.", ""),
    )
    JsonDisplay(out).add(push(series, point("y", histogram), protocol="2.0"))
    first, last, native = map(json.loads, out.getvalue().splitlines())
    assert "exemplars" not in first
    assert last == {
        "protocol": "2.0",
        "labels": {"__name__": "x"},
        "timestamp": NOW,
        "start_timestamp": NOW - 5,
        "value": 2.0,
        "exemplars": [{"labels": {"trace_id": "ab"}, "value": "-Inf", "timestamp": NOW}],
        "metadata": {"type": "counter", "help": "Help.", "unit": ""},
    }
    assert native["start_timestamp"] == NOW - 9
    assert native["histogram"] == {
        "count": 3,
        "sum": "+Inf",
        "schema": -53,
        "zero_threshold": 0.0,
        "zero_count": 0,
        "negative_spans": [],
        "negative_counts": [],
        "positive_spans": [[0, 1]],
        "positive_counts": [3],
        "custom_bounds": [0.5],
        "reset_hint": 0,
    }


def test_pushes_are_appended_each_with_its_own_series():
    out = io.StringIO()
    display = PushDisplay(out)
    display.add(push(point("a", 1.0), point("b", 1.0)))
    display.add(rejection("no"))
    display.add(push(point("b", 2.0), repeated=True))
    assert out.getvalue().splitlines() == [
        "push 1: protocol 1.0, 2 series, 4 bytes",
        "SERIES  VALUE  CHANGE  LABELS",
        "a           1     new",
        "b           1     new",
        "",
        "push 2: protocol 1.0, 1 series, 4 bytes, the same again",
        "SERIES  VALUE  CHANGE  LABELS",
        "b           2      +1",
        "",
    ]


def test_screen_is_redrawn_in_place_with_everything_seen():
    out = io.StringIO()
    display = ScreenDisplay(out, URL, lambda: os.terminal_size((30, 8)))
    display.refresh()
    assert out.getvalue().startswith("\x1b[Hhttp://127.0.0.1:1/api/v1/write"[:30])
    assert "waiting for the first push" in out.getvalue()
    display.add(push(point("a", 1.0)))
    display.add(push(point("b", 1.0)))
    display.add(rejection("a long reason for the refusal\x1b[2J"))
    out.truncate(out.seek(0))
    display.refresh()
    assert out.getvalue() == (
        "\x1b[H"
        "http://127.0.0.1:1/api/v1/wri…\x1b[K\n"
        "push 2: protocol 1.0, 1 serie…\x1b[K\n"
        "rejected 1, the last one with…\x1b[K\n"
        "SERIES  VALUE  CHANGE  LABELS\x1b[K\n"
        "a           1     new\x1b[K\n"
        "b           1     new\x1b[K\n"
        "\x1b[J"
    )


def test_screen_never_scrolls():
    out = io.StringIO()
    display = ScreenDisplay(out, URL, lambda: os.terminal_size((30, 6)))
    display.add(push(*(point(f"m{number}", 1.0) for number in range(50))))
    display.refresh()
    assert out.getvalue().count("\n") == 5
    assert "… and 49 more series" in out.getvalue()
