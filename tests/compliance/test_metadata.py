"""The suite's group "metadata", in 2.0."""

from tests.compliance.application import labelled


def test_type_counter(application):
    application.meter.create_counter("http_requests").add(1)
    assert application.push()
    assert application.metadata("http_requests_total").type == "counter"


def test_type_gauge(application):
    application.meter.create_gauge("memory_usage").set(1)
    application.meter.create_up_down_counter("queue").add(-1)
    assert application.push()
    assert application.metadata("memory_usage").type == "gauge"
    assert application.metadata("queue").type == "gauge"


def test_type_histogram(application):
    application.meter.create_histogram("request_duration", unit="s").record(1)
    assert application.push()
    assert application.metadata("request_duration_seconds_sum").type == "histogram"


def test_help(application):
    application.meter.create_counter("http_requests", description="Total HTTP requests").add(1)
    assert application.push()
    assert application.metadata("http_requests_total").help == "Total HTTP requests"


def test_unit(application):
    application.meter.create_gauge("memory_usage", unit="By").set(1)
    assert application.push()
    assert application.metadata("memory_usage_bytes").unit == "bytes"


def test_help_with_newline(application):
    application.meter.create_gauge("test_metric", description="Line one\nLine two").set(1)
    assert application.push()
    assert application.metadata("test_metric").help == "Line one\nLine two"


def test_help_with_special_chars(application):
    text = '\N{ROCKET} 测试 "quoted" back\\slash {braces} yolo/d'
    application.meter.create_gauge("test_metric", description=text).set(1)
    assert application.push()
    assert application.metadata("test_metric").help == text


def test_metadata_refs_valid(application):
    application.meter.create_gauge("test_metric", description="Help", unit="By").set(1)
    assert application.push()
    [message] = application.messages
    for series in message.timeseries:
        assert 0 < series.metadata.help_ref < len(message.symbols)
        assert 0 < series.metadata.unit_ref < len(message.symbols)


def test_metadata_consistent_across_series(application):
    histogram = application.meter.create_histogram("request_duration", unit="s", description="How long")
    for method in ("GET", "POST"):
        histogram.record(1, {"method": method})
    assert application.push()
    [message] = application.messages
    found = {series.metadata.SerializeToString() for series, _ in labelled(message)}
    assert len(message.timeseries) > 6
    assert len(found) == 1


def test_empty_help(application):
    application.meter.create_gauge("test_metric").set(1)
    assert application.push()
    series, _ = application.series("test_metric")
    assert series.metadata.help_ref == 0
    assert series.metadata.type
