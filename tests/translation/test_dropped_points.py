from collections import Counter

import pytest

from opentelemetry.exporter.prometheus_remote_write.errors import SeriesLimitExceeded, Untranslatable
from opentelemetry.exporter.prometheus_remote_write.translation.dropped_points import DroppedPoints

ODD = "a\r\nb\x1b[31m\u2028c"
LONG = "x" * 100_000


def lines(caplog):
    for record in caplog.records:
        assert record.getMessage().isprintable()
        assert len(record.getMessage()) < 2000
    return [record.getMessage() for record in caplog.records]


def test_each_metric_and_reason_is_said_once_and_counted_each_time(caplog):
    dropped = DroppedPoints()
    for metric, reason in [("a", "name"), ("a", "name"), ("a", "delta"), ("b", "name")]:
        dropped.drop(metric, Untranslatable(reason, f"its {reason} is wrong"), points=2)
    assert dropped.points == {"name": 6, "delta": 2}
    assert [line.partition(".")[0] for line in lines(caplog)] == [
        "Metric 'a': its name is wrong",
        "Metric 'a': its delta is wrong",
        "Metric 'b': its name is wrong",
    ]


@pytest.mark.parametrize("text", [ODD, LONG])
def test_whatever_names_and_labels_hold_it_is_one_short_line(caplog, text):
    dropped = DroppedPoints()
    dropped.drop(text, Untranslatable("duplicate", f'its series a{{b="{text}"}} is the same as another'))
    dropped.drop(text, SeriesLimitExceeded(7))
    dropped.log_exceeded(7, lambda: Counter({text: 7}))
    assert len(lines(caplog)) == 2
