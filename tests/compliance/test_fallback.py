"""The suite's group "fallback": from 2.0 to 1.0 where the receiver does not speak 2.0."""

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver import ScriptedAnswer


@pytest.fixture
def application(start_application):
    """One that has pushed three times to a receiver that has answered 415 to its first request."""
    application = start_application(answers=[ScriptedAnswer(415, body=b"please use 1.0")], protocol="auto")
    gauge = application.meter.create_gauge("test_metric")
    for number in range(3):
        gauge.set(number)
        assert application.push()
    return application


def versions(requests):
    return [request.headers["X-Prometheus-Remote-Write-Version"] for request in requests]


def test_fallback_on_415_unsupported_media_type(application):
    assert versions(application.receiver.rejected) == ["2.0.0"]
    assert set(versions(application.receiver.received)) == {"0.1.0"}


def test_retry_with_different_version(application):
    # All that was refused is there, from the first value on.
    assert application.receiver.values("test_metric") == [0, 1, 2]


def test_fallback_header_changes(application):
    [refused] = application.receiver.rejected
    assert refused.headers["Content-Type"] == "application/x-protobuf;proto=io.prometheus.write.v2.Request"
    assert {request.headers["Content-Type"] for request in application.receiver.received} == {"application/x-protobuf"}


def test_accept_success_after_fallback(application):
    assert len(application.receiver.rejected) == 1
    assert application.exporter.force_flush()


def test_persistent_fallback_choice(application):
    application.meter.create_gauge("another").set(1)
    assert application.push()
    assert versions(application.receiver.rejected) == ["2.0.0"]


def test_no_fallback_on_2xx(start_application):
    application = start_application(protocol="auto")
    counter = application.meter.create_counter("test_counter")
    for _ in range(3):
        counter.add(1)
        assert application.push()
    assert versions(application.receiver.received) == ["2.0.0"] * 3
