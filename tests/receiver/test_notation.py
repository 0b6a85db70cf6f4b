from __future__ import annotations

import math
import struct

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver.notation import printable, series_text, value_text
from opentelemetry.exporter.prometheus_remote_write.receiver.received import Histogram

STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        pytest.param([("__name__", "up")], "up{}", id="a name alone"),
        pytest.param([("A", "1"), ("__name__", "up"), ("b", "2")], 'up{A="1", b="2"}', id="the name stands first"),
        pytest.param([("a", 'say "hi" \\')], r'{a="say \"hi\" \\"}', id="quotes and backslashes"),
        pytest.param([("a", "x\ny\x1b[2J\x9b\u202e")], r'{a="x\ny\x1b[2J\x9b\u202e"}', id="what acts on a terminal"),
        pytest.param([("a", "日本 é")], '{a="日本 é"}', id="other scripts"),
        pytest.param([("a", "1"), ("a", "2")], '{a="1", a="2"}', id="a faulty set is shown as it is"),
        pytest.param([("__name__", "x"), ("__name__", "y")], 'y{__name__="x"}', id="two names"),
    ],
)
def test_series_is_written_as_in_promql(labels, text):
    assert series_text(tuple(labels)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-3.0, "-3"),
        (123456789012.0, "123456789012"),
        (1e15, "1e+15"),
        (0.1, "0.1"),
        (1234.56789, "1234.57"),
        (7, "7"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
        (STALE, "stale"),
        (Histogram(timestamp=0, count=3, sum=1.5, schema=0), "count=3 sum=1.5"),
        (Histogram(timestamp=0, count=3, sum=STALE, schema=0), "stale"),
    ],
)
def test_value_is_short_and_plain(value, text):
    assert value_text(value) == text


def test_every_control_character_is_escaped():
    assert all(printable(chr(code)).isprintable() for code in range(0x3000))
