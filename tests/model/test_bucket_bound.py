from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.model.bucket_bound import le_text


@pytest.mark.parametrize(
    ("bound", "text"),
    [
        (0.0, "0"),
        (0, "0"),
        (5, "5"),
        (5.0, "5"),
        (0.005, "0.005"),
        (10.5, "10.5"),
        (-1.5, "-1.5"),
        (1e6, "1000000"),
        (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"),
        (1.25e-9, "0.00000000125"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_a_bound_is_the_shortest_decimal(bound, text):
    assert le_text(bound) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_bound_reads_back_as_itself_and_has_no_exponent(bound):
    text = le_text(bound)
    assert repr(float(text)) == repr(bound)
    assert re.fullmatch(r"-?[0-9]+(\.[0-9]*[1-9])?", text)
