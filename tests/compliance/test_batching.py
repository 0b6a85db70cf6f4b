"""The suite's group "batching", in 2.0."""

from tests.compliance.application import labelled


def test_multiple_series_per_request(application):
    requests = application.meter.create_counter("http_requests")
    for method, status in (("GET", "200"), ("POST", "200"), ("GET", "404")):
        requests.add(1, {"method": method, "status": status})
    application.meter.create_gauge("cpu_usage").set(45.2)
    assert application.push()
    [message] = application.messages
    assert len(message.timeseries) == 4
    assert {labels["__name__"] for _, labels in labelled(message)} == {"http_requests_total", "cpu_usage"}


def test_batch_size_reasonable(application):
    gauge = application.meter.create_gauge("metric")
    attribute_sets = [{"label": str(number)} for number in range(2000)]
    for attributes in attribute_sets:
        gauge.set(1, attributes)
    for number in range(10_000):
        application.meter.create_gauge(f"metric_{number % 100}").set(1, {"label": str(number // 100)})
    assert application.push()
    sizes = [len(message.timeseries) for message in application.messages]
    assert sum(sizes) == 12_000
    assert max(sizes) <= 10_000
    assert len(sizes) == 6  # of 2,000, and none that is nearly empty


def test_handles_varying_cardinality(application):
    calls = application.meter.create_counter("api_calls")
    for number in range(5):
        calls.add(1, {"endpoint": f"/{number}", "method": "GET", "region": f"region-{number % 2}"})
    application.meter.create_gauge("low_cardinality").set(42)
    assert application.push()
    [message] = application.messages
    assert len(message.timeseries) == 6
    assert len(set(message.symbols)) == len(message.symbols)


def test_efficient_symbol_reuse(application):
    for metric in ("http_requests", "http_duration"):
        for service in ("api", "web"):
            application.meter.create_gauge(metric).set(1, {"service": service, "method": "GET"})
    for _ in range(3):
        assert application.push()
    for message in application.messages:
        # "", the names of two metrics and of five labels, and the values of the labels
        assert len(message.symbols) == 1 + 2 + 5 + 5


def test_metadata_batching(application):
    application.meter.create_counter("http_requests", description="Requests").add(1, {"method": "GET"})
    application.meter.create_gauge("memory_usage", unit="By", description="Memory").set(1)
    assert application.push()
    [message] = application.messages
    assert all(series.metadata.type and series.metadata.help_ref for series in message.timeseries)


def test_concurrent_requests(start_application):
    # Requests under way together hold different series: the receiver has every sample once, and in order.
    application = start_application(max_samples_per_send=1, max_concurrent_requests=4)
    gauge = application.meter.create_gauge("metric")
    for value in range(3):
        for number in range(8):
            gauge.set(value, {"number": str(number)})
        assert application.push()
    assert len(application.receiver.received) == 24
    for number in range(8):
        assert application.receiver.values("metric", number=str(number)) == [0, 1, 2]
