"""Each data point has one outcome, and none is said to have arrived that did not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.delivery.tally import Tally
from opentelemetry.exporter.prometheus_remote_write.model.outcome import Outcome
from opentelemetry.exporter.prometheus_remote_write.model.request import Request


@given(points=st.integers(0, 50), rejected=st.integers(0, 50), accepted=st.integers(0, 50))
def test_of_a_request_that_is_written_in_part_each_point_is_counted_once(points, rejected, accepted):
    tally = Tally()
    tally.count_parts(Request(b"", "2.0", rejected + accepted, 0, 0, 1, points), rejected)
    assert tally.points.total() == points
    assert tally.samples.total() == rejected + accepted
    if rejected and points:
        assert tally.points[Outcome.REJECTED] > 0
