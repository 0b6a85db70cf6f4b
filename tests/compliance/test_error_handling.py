"""The suite's group "error handling": nothing is raised into the application, and the next push works."""

import logging

import pytest
from opentelemetry.sdk.metrics.export import MetricExportResult

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.receiver import ScriptedAnswer
from tests.collected import collected, gauge, point
from tests.servers.ports import free_port
from tests.transport.scripted_server import ScriptedServer, answer, drip, raw, silent

# One attempt: the wait before a second would be longer than the push may take.
ONCE = {"min_backoff": 120_000, "max_backoff": 120_000, "max_buffered_bytes": 0}


@pytest.fixture
def failed_push(start_application, caplog):
    """failed_push(endpoint, **settings): what was logged of a push that was not accepted."""
    caplog.set_level(logging.INFO, logger="opentelemetry.exporter.prometheus_remote_write")

    def push(endpoint, **settings):
        exporter = start_application(endpoint=endpoint, **ONCE, **settings).exporter
        data = collected(gauge(point(42), name="test_metric"))
        assert exporter.export(data, timeout_millis=60_000) is MetricExportResult.FAILURE
        [record] = caplog.records
        return record.getMessage()

    return push


@pytest.fixture
def server(server_stack):
    """server(behaviour): one that answers badly."""
    return lambda behaviour: server_stack.enter_context(ScriptedServer(behaviour))


def test_handle_connection_refused(failed_push):
    assert "could not be reached" in failed_push(f"http://127.0.0.1:{free_port()}/write")


def test_handle_timeout(failed_push, server):
    assert "did not answer within" in failed_push(server(silent).url, timeout=0.2)


def test_handle_partial_write(failed_push, server):
    # The answer's body says nothing about what was written, so that it breaks off is no matter; headers would.
    text = failed_push(server(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npartial")).url)
    assert "without confirming what it wrote" in text


def test_handle_malformed_response(failed_push, server):
    text = failed_push(server(raw(b"Not valid response headers\r\n\r\n")).url)
    assert "answered something that is not HTTP" in text


def test_handle_endless_response(failed_push, server):
    assert "500" in failed_push(server(drip(b"HTTP/1.1 500 No\r\n\r\n", b"x")).url, timeout=2)


def test_handle_empty_response(failed_push, server):
    # Of a receiver that speaks 2.0 it would have headers that count: here nothing says that the data was written.
    assert "without confirming what it wrote" in failed_push(server(answer(200)).url)


def test_handle_invalid_status_code(failed_push, server):
    assert "999" in failed_push(server(answer(999)).url)


def test_handle_large_error_response(failed_push, server):
    text = failed_push(server(answer(400, body=b"x" * 1024 * 1024)).url)
    assert "400" in text
    assert len(text) < 4096


def test_dns_resolution_failure(failed_push):
    assert "nonexistent.invalid" in failed_push("http://nonexistent.invalid:9999/api/v1/write")


def test_invalid_url_scheme(start_application, monkeypatch, caplog):
    # An argument that is wrong is raised to the programmer; a variable never is, and nothing is sent.
    with pytest.raises(ValueError, match="endpoint"):
        start_application(endpoint="invalid://localhost:9999")
    monkeypatch.setenv("OTEL_EXPORTER_PRW_ENDPOINT", "invalid://localhost:9999")
    exporter = PrometheusRemoteWriteMetricsExporter()
    assert "OTEL_EXPORTER_PRW_ENDPOINT" in caplog.text
    exporter.shutdown()


def test_sender_continues_after_errors(start_application):
    application = start_application(answers=[ScriptedAnswer(500)] * 2, min_backoff=1, max_backoff=2)
    counter = application.meter.create_counter("test_counter")
    for _ in range(3):
        counter.add(1)
        application.push()
    assert application.receiver.values("test_counter_total") == [1, 2, 3]
