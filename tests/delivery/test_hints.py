import socket
import ssl

import pytest
from urllib3.exceptions import NewConnectionError, ProxyError

from opentelemetry.exporter.prometheus_remote_write.delivery.hints import hint
from opentelemetry.exporter.prometheus_remote_write.environment_variables import __dict__ as variables
from opentelemetry.exporter.prometheus_remote_write.errors import Rejected, Retryable, Unsendable, Unsupported
from opentelemetry.exporter.prometheus_remote_write.transport.failure import Route, failure


def rejected(status, body=b""):
    return Rejected("it said no", status=status, body=body)


def network(error, proxy=""):
    wrapped = NewConnectionError(None, "no connection")
    wrapped.__cause__ = error
    return failure(ProxyError("no", wrapped) if proxy else wrapped, Route("http://receiver", proxy), 5.0)


@pytest.mark.parametrize(
    ("error", "names"),
    [
        pytest.param(rejected(400, b"Out of order sample"), "service.instance.id", id="out of order"),
        pytest.param(rejected(400, b"out-of-order label"), "service.instance.id", id="out-of-order"),
        pytest.param(rejected(400, b"duplicate sample for timestamp"), "service.instance.id", id="duplicate"),
        pytest.param(rejected(400, b"out of bounds"), "service.instance.id", id="out of bounds"),
        pytest.param(rejected(401), "OTEL_EXPORTER_PRW_BEARER_TOKEN", id="401"),
        pytest.param(rejected(403), "OTEL_EXPORTER_PRW_HEADERS", id="403"),
        pytest.param(rejected(404), "OTEL_EXPORTER_PRW_ENDPOINT", id="404"),
        pytest.param(rejected(405), "/api/v1/write", id="405"),
        pytest.param(rejected(407), "OTEL_EXPORTER_PRW_PROXY", id="407"),
        pytest.param(rejected(415), "OTEL_EXPORTER_PRW_PROTOCOL", id="415 to a version that was spoken before"),
        pytest.param(rejected(413), "OTEL_EXPORTER_PRW_RESOURCE_LABELS", id="413 for a single series"),
        pytest.param(Retryable("x", status=429), "OTEL_EXPORTER_PRW_INTERVAL", id="429"),
        pytest.param(
            Retryable("500: native histograms are disabled", status=500),
            "OTEL_EXPORTER_PRW_DEFAULT_HISTOGRAM_AGGREGATION",
            id="500 for a histogram",
        ),
        pytest.param(
            network(socket.gaierror(-2, "Name not known")), "the host in OTEL_EXPORTER_PRW_ENDPOINT", id="DNS"
        ),
        pytest.param(
            network(ConnectionRefusedError(111, "refused")), "port in OTEL_EXPORTER_PRW_ENDPOINT", id="refused"
        ),
        pytest.param(network(TimeoutError()), "OTEL_EXPORTER_PRW_TIMEOUT", id="no answer"),
        pytest.param(network(ConnectionRefusedError(111, "x"), "http://proxy"), "OTEL_EXPORTER_PRW_PROXY", id="proxy"),
        pytest.param(Unsupported("415"), "OTEL_EXPORTER_PRW_PROTOCOL", id="protocol"),
    ],
)
def test_a_hint_names_what_to_look_at(error, names):
    assert names in hint(error)


def test_a_receiver_that_is_not_trusted_needs_no_hint():
    error = network(ssl.SSLCertVerificationError(1, "certificate verify failed"))
    assert hint(error) == ""
    assert "OTEL_EXPORTER_PRW_CERTIFICATE" in str(error)


@pytest.mark.parametrize(
    "error",
    [rejected(400, b"no such thing"), rejected(422), Retryable("x", status=503), Retryable("x"), Unsendable("x")],
)
def test_where_nothing_is_known_nothing_is_said(error):
    assert hint(error) == ""


def test_a_receiver_that_is_switched_off_says_itself_how_to_switch_it_on():
    body = b"remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n"
    assert hint(rejected(404, body)) == ""


def test_hints_name_only_variables_that_there_are():
    known = {value for name, value in variables.items() if name.startswith("OTEL_")}
    errors = [rejected(status, b"out of order") for status in range(300, 500)]
    errors += [Retryable(text, status=status) for text in ("histogram", "") for status in (None, 429, 500)]
    errors += [Retryable(f"x {text}") for text in ("the proxy", "is not resolved", "could not be reached")]
    words = " ".join(map(hint, errors)).replace(",", " ").replace(":", " ").replace(")", " ").split()
    named = {word for word in words if word.startswith("OTEL_EXPORTER_PRW_")}
    assert named
    assert named <= known
