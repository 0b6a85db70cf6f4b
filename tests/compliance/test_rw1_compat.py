"""The suite's group "rw1_compat", and the cases of the suite for 1.0 that came before it."""

import re

import pytest

from opentelemetry.exporter.prometheus_remote_write.proto import write_v1_pb2
from opentelemetry.exporter.prometheus_remote_write.receiver import ScriptedAnswer
from opentelemetry.exporter.prometheus_remote_write.receiver.decompression import decompress
from tests.compliance.application import milliseconds

QUICK = {"min_backoff": 1, "max_backoff": 2}


@pytest.fixture
def gauge(in_1_0):
    return in_1_0.meter.create_gauge("test_metric")


def labels_of(application, attributes):
    application.meter.create_gauge("test_metric").set(42, attributes)
    assert application.push()
    [message] = application.messages
    [series] = message.timeseries
    return [(label.name, label.value) for label in series.labels]


# --- rw1_compat ---


def test_rw1_version_header(in_1_0, gauge):
    gauge.set(42)
    assert in_1_0.push()
    assert {request.headers["X-Prometheus-Remote-Write-Version"] for request in in_1_0.arrived} == {"0.1.0"}


def test_rw1_content_type(in_1_0, gauge):
    gauge.set(42)
    assert in_1_0.push()
    assert {request.headers["Content-Type"] for request in in_1_0.arrived} == {"application/x-protobuf"}


def test_rw1_samples_encoding(in_1_0):
    in_1_0.meter.create_counter("test_counter").add(100)
    assert in_1_0.push()
    [message] = in_1_0.messages
    [series] = message.timeseries
    assert [sample.value for sample in series.samples] == [100]


def test_rw1_labels_encoding(in_1_0):
    assert ("label", "value") in labels_of(in_1_0, {"label": "value"})


def test_rw1_no_native_histograms(start_application):
    # Explicit histograms, also where custom buckets are asked for, are classic. What an application makes exponential
    # has no other form than the native one, which is an extension of 1.0 that receivers take.
    application = start_application(protocol="1.0", convert_histograms_to_nhcb=True)
    application.meter.create_histogram("test_histogram").record(1)
    assert application.push()
    [message] = application.messages
    assert len(message.timeseries) > 3
    assert all(series.samples and not series.histograms for series in message.timeseries)


def test_rw1_no_start_timestamp(in_1_0):
    # A field that 1.0 does not have would be an unknown one, which the receiver refuses.
    in_1_0.meter.create_counter("test_counter").add(100)
    assert in_1_0.push()
    assert in_1_0.receiver.samples("test_counter_total")[0].start_timestamp == 0


def test_rw1_metadata_handling(in_1_0):
    in_1_0.meter.create_counter("test_counter", description="Test metric description").add(1)
    assert in_1_0.push()
    apart = [request for request in in_1_0.receiver.received if not request.series]
    assert [request.families["test_counter_total"].help for request in apart] == ["Test metric description"]


def test_rw1_symbol_table_not_used(in_1_0):
    for method in ("GET", "POST"):
        in_1_0.meter.create_counter("http_requests").add(1, {"method": method})
    assert in_1_0.push()
    message = write_v1_pb2.WriteRequest.FromString(decompress(in_1_0.receiver.received[0].body, limit=1 << 20))
    assert len(message.timeseries) == 2
    assert all(label.name and label.value for series in message.timeseries for label in series.labels)


def test_rw1_configuration(start_application):
    application = start_application(protocol="1.0")
    application.meter.create_gauge("test_metric").set(42)
    assert application.push()
    assert {request.protocol for request in application.receiver.received} == {"1.0"}


# --- the former suite for 1.0 ---


def test_counter(in_1_0):
    counter = in_1_0.meter.create_counter("test_counter")
    for _ in range(3):
        counter.add(1)
        assert in_1_0.push()
    assert in_1_0.receiver.values("test_counter_total") == [1, 2, 3]


def test_gauge(in_1_0, gauge):
    for value in (1, -1, 0.5):
        gauge.set(value)
        assert in_1_0.push()
    assert in_1_0.receiver.values("test_metric") == [1, -1, 0.5]


def test_histogram(in_1_0):
    histogram = in_1_0.meter.create_histogram("test", explicit_bucket_boundaries_advisory=[1, 2])
    for value in (0.5, 1.5, 3):
        histogram.record(value)
        assert in_1_0.push()
    found = {le: in_1_0.receiver.values("test_bucket", le=le) for le in ("1", "2", "+Inf")}
    assert found == {"1": [1, 1, 1], "2": [1, 2, 2], "+Inf": [1, 2, 3]}
    assert in_1_0.receiver.values("test_sum") == [0.5, 2, 5]
    assert in_1_0.receiver.values("test_count") == [1, 2, 3]


def test_job_label(in_1_0):
    assert ("job", "shop") in labels_of(in_1_0, {})


def test_instance_label(in_1_0):
    assert ("instance", "pod-1") in labels_of(in_1_0, {})


def test_sorted_labels(in_1_0):
    names = [name for name, _ in labels_of(in_1_0, {"zone": "1", "Zone": "2", "_a": "3", "a": "4"})]
    assert names == sorted(names, key=str.encode)
    assert len(names) == 7


def test_repeated_labels(in_1_0):
    labels = labels_of(in_1_0, {"a.b": "1", "a_b": "2", "job": "other"})
    assert len(dict(labels)) == len(labels)


def test_empty_labels(in_1_0):
    labels = labels_of(in_1_0, {"empty": "", "full": "x"})
    assert ("full", "x") in labels
    assert "empty" not in dict(labels)


def test_name_label(in_1_0):
    assert [text for name, text in labels_of(in_1_0, {"__name__": "other"}) if name == "__name__"] == ["test_metric"]


def test_timestamp(in_1_0, gauge):
    before = milliseconds()
    for value in range(3):
        gauge.set(value)
        assert in_1_0.push()
    times = [sample.timestamp for sample in in_1_0.receiver.samples("test_metric")]
    assert before <= times[0] < times[1] < times[2] <= milliseconds()


def test_headers(in_1_0, gauge):
    gauge.set(1)
    assert in_1_0.push()
    for request in in_1_0.arrived:
        assert request.headers["Content-Encoding"] == "snappy"
        assert request.headers["Content-Type"] == "application/x-protobuf"
        assert request.headers["X-Prometheus-Remote-Write-Version"] == "0.1.0"
        assert re.fullmatch(r"[\w-]+/\S+", request.headers["User-Agent"])


def test_ordering(start_application):
    # The receiver refuses what is not newer than what it has. Answers that are late mix up what is not kept in order.
    application = start_application(
        protocol="1.0",
        max_samples_per_send=100,
        max_concurrent_requests=4,
        answers=lambda request: ScriptedAnswer(delay=0.01 * (len(request.body) % 3)),
    )
    gauge = application.meter.create_gauge("metric")
    attribute_sets = [{"number": str(number)} for number in range(1000)]
    for value in range(3):
        for attributes in attribute_sets:
            gauge.set(value, attributes)
        assert application.push()
    assert application.receiver.rejected == []
    found = application.receiver.series("metric")
    assert len(found) == 1000
    assert all([sample.value for sample in series.samples] == [0, 1, 2] for series in found)


def test_retries_500(start_application):
    application = start_application(protocol="1.0", answers=[ScriptedAnswer(500)], **QUICK)
    application.meter.create_gauge("test_metric").set(42)
    assert application.push()
    [refused], [received, *_] = application.receiver.rejected, application.receiver.received
    assert refused.body == received.body


def test_retries_400(start_application):
    application = start_application(protocol="1.0", answers=[ScriptedAnswer(400)], **QUICK)
    gauge = application.meter.create_gauge("test_metric")
    gauge.set(1)
    assert not application.push()
    gauge.set(2)
    assert application.push()
    assert application.receiver.values("test_metric") == [2]
