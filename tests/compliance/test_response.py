"""The suite's group "response": what is made of an answer to a request of 2.0."""

import logging

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver import ScriptedAnswer


@pytest.fixture
def push(start_application, caplog):
    """push(answer): the application, whether its three samples were accepted, and what was logged of trouble."""
    caplog.set_level(logging.INFO, logger="opentelemetry.exporter.prometheus_remote_write")

    def push(answer):
        application = start_application(answers=[answer])
        for number in range(3):
            application.meter.create_gauge(f"sample_{number}").set(number)
        accepted = application.push()
        said = [record.getMessage() for record in caplog.records]
        return application, accepted, [line for line in said if not line.startswith("Metrics arrive at ")]

    return push


def written(samples):
    return {
        "X-Prometheus-Remote-Write-Samples-Written": str(samples),
        "X-Prometheus-Remote-Write-Histograms-Written": "0",
        "X-Prometheus-Remote-Write-Exemplars-Written": "0",
    }


def test_handle_204_no_content(push):
    application, accepted, log = push(ScriptedAnswer(204, written(3)))
    assert accepted
    assert log == []
    assert len(application.arrived) == 1


def test_handle_200_ok(push):
    application, accepted, log = push(ScriptedAnswer(200, written(3), b"OK"))
    assert accepted
    assert log == []
    assert len(application.arrived) == 1


def test_ignore_response_body_on_success(push):
    _, accepted, log = push(ScriptedAnswer(200, written(3), b"error: this body should be ignored"))
    assert accepted
    assert log == []


def test_process_written_count_headers(push):
    _, accepted, log = push(ScriptedAnswer(204, written(1)))
    assert not accepted
    assert "2 samples" in log[0]


def test_handle_partial_write_response(push):
    application, accepted, log = push(ScriptedAnswer(400, written(2), b"Rejected 1 sample"))
    assert not accepted
    assert "[1 sample rejected]" in log[0]
    assert len(application.arrived) == 1


def test_handle_missing_written_headers(push):
    _, accepted, log = push(ScriptedAnswer(400, {}, b"Bad request"))
    assert not accepted
    assert "[3 samples rejected]" in log[0]


def test_log_error_messages_verbatim(push):
    _, _, log = push(ScriptedAnswer(400, {}, b"Error: Invalid label name '__invalid__'"))
    assert "Error: Invalid label name '__invalid__'" in log[0]


def test_handle_large_error_body(push):
    _, accepted, log = push(ScriptedAnswer(400, {}, b"Error details: " + b"detailed error information; " * 1000))
    assert not accepted
    assert "Error details: detailed error information;" in log[0]
    assert len(log[0]) < 4096


def test_content_type_negotiation(push):
    application, accepted, _ = push(ScriptedAnswer(204, written(3)))
    assert accepted
    assert application.arrived[0].headers["Content-Type"].startswith("application/x-protobuf")
