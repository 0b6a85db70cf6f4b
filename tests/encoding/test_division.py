from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.encoding.division import cut, divided, size
from opentelemetry.exporter.prometheus_remote_write.model.family import Family, FamilySamples, SeriesName
from opentelemetry.exporter.prometheus_remote_write.model.remote_write import (
    Exemplar,
    Metadata,
    MetricType,
)
from opentelemetry.exporter.prometheus_remote_write.system.time_slice import TimeSlice
from tests.encoding.exports import stream

NOW = 1_750_000_000_000
RANGE = Family("range", Metadata("range", MetricType.GAUGE, "", ""), (SeriesName("range_min"), SeriesName("range_max")))
EXEMPLAR = (Exemplar((("trace_id", "a"),), 1.0, NOW),)


def family_samples(streams, *, zero_samples=()):
    """Family samples whose values and times tell their position."""
    return FamilySamples(
        RANGE,
        [stream((("at", str(number)),)) for number in range(streams)],
        [NOW + position for position in range(streams)],
        array("d", range(2 * streams)),
        (),
        {2 * position + 1: EXEMPLAR for position in range(streams)},
        {position: NOW - position - 1 for position in zero_samples},
    )


def test_what_is_said_of_a_stream_goes_with_it():
    whole = family_samples(5, zero_samples=[0, 3])
    part = cut(whole, [range(1, 2), range(3, 5)], [whole.streams[each] for each in (1, 3, 4)], TimeSlice())
    assert part.streams == [whole.streams[1], whole.streams[3], whole.streams[4]]
    assert part.timestamps == [NOW + 1, NOW + 3, NOW + 4]
    assert list(part.values) == [2, 3, 6, 7, 8, 9]
    assert part.exemplars == {1: EXEMPLAR, 3: EXEMPLAR, 5: EXEMPLAR}
    assert part.zero_samples == {1: NOW - 4}


def test_a_zero_sample_counts_as_a_sample_of_each_series():
    assert size(family_samples(3)) == 6
    assert size(family_samples(3, zero_samples=[1])) == 8


@pytest.mark.parametrize("begun", [False, True], ids=["without zero samples", "with zero samples"])
@given(st.lists(st.integers(1, 20), min_size=1, max_size=4), st.integers(1, 30))
def test_all_is_sent_once_and_no_request_holds_more_than_it_may(begun, streams, max_samples):
    all_samples = [family_samples(number, zero_samples=range(number) if begun else ()) for number in streams]
    requests = list(divided(all_samples, max_samples, TimeSlice()))
    sent = [stream for request in requests for part in request for stream in part.streams]
    assert sent == [stream for each in all_samples for stream in each.streams]
    for request in requests:
        alone = len(request) == len(request[0].streams) == 1
        assert alone or sum(map(size, request)) <= max_samples
