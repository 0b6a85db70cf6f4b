"""The suite's group "symbols": the table of strings of a request of 2.0."""

import pytest


@pytest.fixture
def message(application):
    requests = application.meter.create_counter("http_requests")
    for method, status, handler in (
        ("GET", "200", "/api/v1"),
        ("POST", "200", "/api/v1"),
        ("GET", "404", "/api/v1"),
        ("GET", "200", "/api/v2"),
    ):
        requests.add(100, {"method": method, "status": status, "handler": handler})
    assert application.push()
    [message] = application.messages
    assert len(message.timeseries) == 4
    return message


def test_empty_string_at_index_zero(message):
    assert message.symbols[0] == ""


def test_string_deduplication(message):
    assert len(set(message.symbols)) == len(message.symbols)


def test_labels_refs_valid_indices(message):
    assert all(0 < ref < len(message.symbols) for series in message.timeseries for ref in series.labels_refs)


def test_labels_refs_even_length(message):
    assert all(series.labels_refs and len(series.labels_refs) % 2 == 0 for series in message.timeseries)


def test_symbol_table_efficiency(message):
    assert len(message.symbols) <= 30
