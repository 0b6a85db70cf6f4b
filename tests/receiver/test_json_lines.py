from __future__ import annotations

import json
import math

from opentelemetry.exporter.prometheus_remote_write.model.remote_write import Exemplar, Span
from opentelemetry.exporter.prometheus_remote_write.receiver import Histogram, ReceivedMetadata, Sample, Series
from opentelemetry.exporter.prometheus_remote_write.receiver.json_lines import json_lines
from tests.receiver.messages import NOW
from tests.receiver.pushes import point, push


def test_json_is_one_object_a_sample_without_what_is_unset():
    lines = json_lines(push(point("up", 1.0, job="shop"), point("depth", math.nan)))
    assert list(map(json.loads, lines)) == [
        {"protocol": "1.0", "labels": {"__name__": "up", "job": "shop"}, "timestamp": NOW, "value": 1.0},
        {"protocol": "1.0", "labels": {"__name__": "depth"}, "timestamp": NOW, "value": "NaN"},
    ]


def test_json_has_what_comes_beside_a_value():
    histogram = Histogram(NOW, 3, math.inf, -53, 0.0, 0, (), (), (Span(0, 1),), (3,), (0.5,), 0, NOW - 9)
    series = Series(
        (("__name__", "x"),),
        (Sample(1.0, NOW - 1), Sample(2.0, NOW, NOW - 5)),
        exemplars=(Exemplar((("trace_id", "ab"),), -math.inf, NOW),),
        metadata=ReceivedMetadata("counter", "Help.", ""),
    )
    first, last, native = map(json.loads, json_lines(push(series, point("y", histogram), protocol="2.0")))
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
