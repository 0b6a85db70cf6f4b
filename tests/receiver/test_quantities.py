from __future__ import annotations

import math
from datetime import datetime

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver.quantities import (
    is_moment,
    per_second,
    quantity,
    sparkline,
    unit_of,
)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "", ""),
        (0.0153, "seconds", "15.3 ms"),
        (0.0, "seconds", "0 s"),
        (90.0, "seconds", "1.5 min"),
        (2e-10, "seconds", "0.2 ns"),
        (512.0, "bytes", "512 B"),
        (0.0, "bytes", "0 B"),
        (5e9, "bytes", "4.66 GiB"),
        (0.25, "ratio", "25 %"),
        (12.3456, "", "12.3"),
        (1234.0, "", "1,234"),
        (12345.0, "", "12.3k"),
        (-1.5e7, "", "-15M"),
        (1e-9, "", "1e-09"),
        (math.nan, "seconds", "NaN"),
        (-math.inf, "", "-Inf"),
    ],
)
def test_value_has_three_digits_or_so_and_its_unit(value, unit, text):
    assert quantity(value, unit) == text


def test_seconds_since_the_epoch_are_a_moment():
    moment = datetime(2026, 11, 26, 2, 25, 58).astimezone()
    assert quantity(moment.timestamp(), "seconds") == "2026-11-26 02:25:58"
    assert is_moment(moment.timestamp(), "seconds")
    assert not is_moment(moment.timestamp(), "bytes")


def test_rate_is_per_second():
    assert [per_second(None), per_second(41.23)] == ["", "41.2/s"]


def test_unit_is_what_was_said_or_what_the_name_ends_with():
    assert unit_of("latency", "seconds") == "seconds"
    assert unit_of("latency_seconds", "") == "seconds"
    assert unit_of("sent_bytes_total", "") == "bytes"
    assert unit_of("orders_total", "orders") == "orders"


def test_bars_grow_with_the_values_and_are_missing_where_nothing_is_known():
    assert sparkline([0.0, 1.0, None, 2.0]) == "▁▅ █"
    assert sparkline([0.0, 0.0]) == "▁▁"
    assert sparkline([-1.0, 0.0, math.nan]) == "▁█ "
    assert sparkline([]) == ""
