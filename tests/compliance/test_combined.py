"""The suite's group "combined": several features in one request of 2.0."""

from opentelemetry.metrics import Observation

from tests.compliance.application import SPAN_ID, TRACE_ID, labelled


def test_samples_with_metadata(application):
    requests = application.meter.create_counter("http_requests", description="Total HTTP requests received")
    requests.add(1000, {"method": "GET", "status": "200"})
    requests.add(500, {"method": "POST", "status": "201"})
    assert application.push()
    found = application.receiver.series("http_requests_total")
    assert [series.samples[0].value for series in found] == [1000, 500]
    assert {(series.metadata.type, series.metadata.help) for series in found} == {
        ("counter", "Total HTTP requests received")
    }


def test_samples_with_exemplars(application, in_span):
    with in_span():
        application.meter.create_counter("request_count").add(1000)
    assert application.push()
    [series] = application.receiver.series("request_count_total")
    [exemplar] = series.exemplars
    assert dict(exemplar.labels) == {"trace_id": f"{TRACE_ID:032x}", "span_id": f"{SPAN_ID:016x}"}
    assert series.samples[0].value == exemplar.value == 1000


def test_histogram_with_metadata_and_exemplars(application, in_span):
    histogram = application.meter.create_histogram(
        "request_duration", unit="s", description="Request duration", explicit_bucket_boundaries_advisory=[0.1, 0.5]
    )
    with in_span():
        histogram.record(0.05)
    assert application.push()
    [bucket] = application.receiver.series("request_duration_seconds_bucket", le="0.1")
    assert len(bucket.exemplars) == 1
    assert (bucket.metadata.type, bucket.metadata.help) == ("histogram", "Request duration")


def test_multiple_metric_types(application):
    application.meter.create_counter("process_cpu", unit="s").add(123.45)
    application.meter.create_gauge("process_memory", unit="By").set(1048576)
    application.meter.create_histogram("request_duration", unit="s").record(0.5)
    assert application.push()
    [message] = application.messages
    names = {labels["__name__"] for _, labels in labelled(message)}
    assert {"process_cpu_seconds_total", "process_memory_bytes", "request_duration_seconds_count"} < names


def test_high_cardinality_labels(application):
    requests = application.meter.create_counter("http_requests")
    for method in ("GET", "POST", "DELETE"):
        for path in ("/api/v1/users", "/api/v1/posts"):
            requests.add(1, {"method": method, "path": path})
    assert application.push()
    assert len(application.receiver.series("http_requests_total")) == 6
    [message] = application.messages
    assert len(set(message.symbols)) == len(message.symbols)


def test_complete_metric_family(start_application):
    # Also where a request has room for less than one histogram.
    application = start_application(max_samples_per_send=3)
    histogram = application.meter.create_histogram("api", explicit_bucket_boundaries_advisory=[0.1, 0.5, 1])
    for path in ("/a", "/b"):
        histogram.record(0.3, {"path": path})
    assert application.push()
    assert len(application.messages) == 2
    for message in application.messages:
        parts = [(labels["__name__"], labels.get("le")) for _, labels in labelled(message)]
        buckets = [("api_bucket", bound) for bound in ("0.1", "0.5", "1", "+Inf")]
        assert parts == [*buckets, ("api_sum", None), ("api_count", None)]


def test_mixed_labels_and_metadata(application):
    calls = application.meter.create_counter("api_calls", description="Total API calls with detailed labels")
    for endpoint in ("/login", "/logout", "/profile"):
        calls.add(1, {"service": "auth", "method": "POST", "endpoint": endpoint, "region": "us-east", "status": "200"})
    assert application.push()
    found = application.receiver.series("api_calls_total", service="auth", method="POST", region="us-east")
    assert {series.label("endpoint") for series in found} == {"/login", "/logout", "/profile"}
    assert all(series.metadata.help == "Total API calls with detailed labels" for series in found)


def test_real_world_scenario(application):
    meter = application.meter
    meter.create_up_down_counter("connections").add(-1)
    meter.create_counter("process_cpu", unit="s").add(45.67)
    meter.create_gauge("memory", unit="By").set(2097152)
    meter.create_observable_gauge("up", callbacks=[lambda _: [Observation(1)]])
    requests = meter.create_counter("http_requests")
    requests.add(5000, {"method": "GET", "code": 200})
    requests.add(1000, {"method": "POST", "code": 201})
    duration = meter.create_histogram("http_request_duration", unit="s", explicit_bucket_boundaries_advisory=[0.05, 1])
    for seconds in (0.01, 0.5, 2):
        duration.record(seconds)
    assert application.push()
    receiver = application.receiver
    assert receiver.values("connections") == [-1]
    assert receiver.values("process_cpu_seconds_total") == [45.67]
    assert receiver.values("memory_bytes") == [2097152]
    assert receiver.values("up") == [1]
    assert receiver.values("http_requests_total", method="POST", code="201") == [1000]
    assert receiver.values("http_request_duration_seconds_bucket", le="1") == [2]
    assert receiver.values("http_request_duration_seconds_count") == [3]
