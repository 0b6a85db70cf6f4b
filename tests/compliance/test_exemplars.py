"""The suite's group "exemplars", in 2.0."""

import pytest
from opentelemetry.sdk.metrics.view import View

from tests.compliance.application import SPAN_ID, TRACE_ID, milliseconds


@pytest.fixture
def with_exemplars(application, in_span):
    """A counter and a histogram, of which each has an exemplar."""
    counter = application.meter.create_counter("http_requests")
    histogram = application.meter.create_histogram(
        "http_request_duration", unit="s", explicit_bucket_boundaries_advisory=[0.1, 1]
    )
    with in_span():
        counter.add(999)
        histogram.record(0.05)
    assert application.push()
    return application


def exemplars(application, name, **labels):
    [series] = application.receiver.series(name, **labels)
    return series.exemplars


def test_exemplar_per_sample(with_exemplars):
    assert len(exemplars(with_exemplars, "http_requests_total")) == 1
    series, _ = with_exemplars.series("http_requests_total")
    assert len(series.samples) == 1


def test_exemplar_value(with_exemplars):
    assert exemplars(with_exemplars, "http_requests_total")[0].value == 999
    assert exemplars(with_exemplars, "http_request_duration_seconds_bucket", le="0.1")[0].value == 0.05


def test_exemplar_timestamp(with_exemplars):
    [exemplar] = exemplars(with_exemplars, "http_requests_total")
    assert 10**12 < exemplar.timestamp <= milliseconds()


def test_exemplar_trace_id(with_exemplars):
    [exemplar] = exemplars(with_exemplars, "http_requests_total")
    assert dict(exemplar.labels)["trace_id"] == f"{TRACE_ID:032x}"


def test_exemplar_span_id(with_exemplars):
    [exemplar] = exemplars(with_exemplars, "http_requests_total")
    assert dict(exemplar.labels)["span_id"] == f"{SPAN_ID:016x}"


def test_exemplar_custom_labels(start_application, in_span):
    # A view that leaves an attribute out of the series leaves it to the exemplar.
    application = start_application(views=[View(instrument_name="http_requests", attribute_keys={"method"})])
    with in_span():
        application.meter.create_counter("http_requests").add(1, {"method": "GET", "user_id": "42"})
    assert application.push()
    [exemplar] = exemplars(application, "http_requests_total", method="GET")
    assert dict(exemplar.labels)["user_id"] == "42"


def test_exemplar_on_histogram(with_exemplars):
    name = "http_request_duration_seconds_bucket"
    found = {le: len(exemplars(with_exemplars, name, le=le)) for le in ("0.1", "1", "+Inf")}
    assert found == {"0.1": 1, "1": 0, "+Inf": 0}


def test_multiple_exemplars_per_series(start_application, in_span):
    application = start_application(default_histogram_aggregation="base2_exponential_bucket_histogram")
    histogram = application.meter.create_histogram("test_histogram")
    for number in range(20):
        with in_span(span_id=number + 1):
            histogram.record(2.0**number)
    assert application.push()
    found = exemplars(application, "test_histogram")
    assert len(found) > 1
    assert [(each.timestamp, each.value) for each in found] == sorted((each.timestamp, each.value) for each in found)


def test_exemplar_label_refs_valid(with_exemplars):
    [message] = with_exemplars.messages
    references = [ref for series in message.timeseries for each in series.exemplars for ref in each.labels_refs]
    assert len(references) == 8
    assert all(0 < ref < len(message.symbols) for ref in references)


def test_exemplar_label_refs_even_length(with_exemplars):
    [message] = with_exemplars.messages
    found = [each for series in message.timeseries for each in series.exemplars]
    assert len(found) == 2
    assert all(len(each.labels_refs) % 2 == 0 for each in found)
