from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.delivery.backlog import Backlog
from opentelemetry.exporter.prometheus_remote_write.model.request import PROTOCOL_1, Request


def counted(dropped):
    """How many samples were dropped, by reason."""
    samples = Counter()
    for outcome, request in dropped:
        samples[outcome] += request.size
    return samples


def floats(size, samples=1):
    return Request(bytes(size), PROTOCOL_1, samples, 0, 0)


def native(size, histograms=1):
    return Request(bytes(size), PROTOCOL_1, 0, histograms, 0)


def waiting(backlog):
    return [[(since, [len(r.body) for r in requests]) for since, requests in q.exports] for q in backlog.queues]


def test_exports_wait_in_order_native_histograms_apart():
    backlog = Backlog(100, 100.0)
    backlog.add(1.0, [floats(10), native(11), floats(12)])
    backlog.add(2.0, [floats(13)])
    assert waiting(backlog) == [[(1.0, [10, 12]), (2.0, [13])], [(1.0, [11])]]
    assert backlog.samples == 4
    assert not backlog.is_empty


def test_an_export_of_nothing_does_not_wait():
    backlog = Backlog(100, 100.0)
    backlog.add(1.0, [])
    assert backlog.is_empty


def test_what_is_left_of_the_oldest_export_stays_in_front():
    backlog = Backlog(100, 100.0)
    backlog.add(1.0, [floats(10), floats(11)])
    backlog.add(2.0, [floats(12)])
    backlog.queues[0].replace_oldest([floats(11)])
    assert waiting(backlog)[0] == [(1.0, [11]), (2.0, [12])]
    backlog.queues[0].replace_oldest([])
    assert waiting(backlog)[0] == [(2.0, [12])]


@pytest.mark.parametrize(
    ("max_bytes", "max_age", "now", "left", "dropped"),
    [
        pytest.param(60, 100, 30, [[(10, [10, 10]), (20, [10])], [(10, [15]), (20, [15])]], {}, id="within bounds"),
        pytest.param(59, 100, 30, [[(10, [10]), (20, [10])], [(10, [15]), (20, [15])]], {"buffer full": 2}, id="bytes"),
        pytest.param(39, 100, 30, [[(20, [10])], [(10, [15]), (20, [15])][1:]], {"buffer full": 7}, id="more bytes"),
        pytest.param(60, 15, 30, [[(20, [10])], [(20, [15])]], {"too old": 7}, id="age"),
        pytest.param(30, 15, 40, [[], []], {"buffer full": 7, "too old": 5}, id="both"),
        pytest.param(0, 100, 20, [[], []], {"not kept": 12}, id="no bytes"),
        pytest.param(60, 0, 20, [[], []], {"not kept": 12}, id="no age"),
    ],
)
def test_the_oldest_is_dropped_first_and_counted(max_bytes, max_age, now, left, dropped):
    backlog = Backlog(max_bytes, max_age)
    backlog.add(10, [floats(10, 2), floats(10, 2), native(15, 3)])
    backlog.add(20, [floats(10, 2), native(15, 3)])
    assert counted(backlog.trim(now)) == dropped
    assert waiting(backlog) == left


def test_what_is_dropped_at_the_end_is_counted():
    backlog = Backlog(100, 100.0)
    backlog.add(1.0, [floats(10, 2), native(11, 3)])
    assert sum(request.size for request in backlog.clear()) == 5
    assert backlog.is_empty
    assert backlog.clear() == []


def test_dropping_from_a_long_export_takes_one_request_after_the_other():
    """It copied what was left for each request that was dropped: 18 s for 80,000 of them."""
    backlog = Backlog(50_000, 100.0)
    backlog.add(1.0, [floats(1)] * 200_000)
    (export,) = backlog.queues[0].exports
    assert counted(backlog.trim(2.0)) == {"buffer full": 150_000}
    assert backlog.queues[0].exports[0].requests is export.requests


requests = st.builds(
    lambda make, size, samples: make(size, samples),
    st.sampled_from([floats, native]),
    st.integers(0, 50),
    st.integers(1, 9),
)


@given(st.lists(st.lists(requests, max_size=4), max_size=10), st.integers(0, 200), st.integers(0, 12))
def test_nothing_is_dropped_without_a_count_and_the_bounds_hold(exports, max_bytes, max_age):
    backlog = Backlog(max_bytes, max_age)
    dropped = Counter()
    for now, export in enumerate(exports):
        backlog.add(now, export)
        dropped += counted(backlog.trim(now))
        assert sum(len(r.body) for q in backlog.queues for e in q.exports for r in e.requests) <= max_bytes
        assert all(now - e.since <= max_age for q in backlog.queues for e in q.exports)
    assert backlog.samples + dropped.total() == sum(request.size for export in exports for request in export)
