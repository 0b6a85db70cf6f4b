"""What is advised for an answer or a failure, from the bytes on the wire to the clause in the log."""

import errno
import re
import socket
import ssl

import pytest
from urllib3.exceptions import NewConnectionError, ProxyError

from opentelemetry.exporter.prometheus_remote_write.delivery.hints import hint
from opentelemetry.exporter.prometheus_remote_write.environment_variables import __dict__ as variables
from opentelemetry.exporter.prometheus_remote_write.errors import Cause, Retryable, SendError, Unsupported
from opentelemetry.exporter.prometheus_remote_write.transport.answer import Answer, refusal
from opentelemetry.exporter.prometheus_remote_write.transport.failure import Route, send_error

NOW = 784_111_777.0  # Sun, 06 Nov 1994 08:49:37 GMT


def answered(status, body=b"", headers=None, route=Route("http://receiver")):  # noqa: B008 - it is frozen
    return refusal(Answer(status, headers or {}, body), route, NOW)


def network(error, proxy=""):
    wrapped = NewConnectionError(None, "no connection")
    wrapped.__cause__ = error
    return send_error(ProxyError("no", wrapped) if proxy else wrapped, Route("http://receiver", proxy), 5.0)


MIMIR = (
    b"(err-mimir-%s). To adjust the related per-tenant limit, configure -validation.x, or contact your administrator."
)


@pytest.mark.parametrize(
    ("error", "names"),
    [
        pytest.param(answered(400, b"Out of order sample"), "service.instance.id", id="out of order"),
        pytest.param(answered(400, b"out-of-order label"), "service.instance.id", id="out-of-order"),
        pytest.param(answered(400, b"duplicate sample for timestamp"), "service.instance.id", id="duplicate"),
        pytest.param(answered(400, b"out of bounds"), "MAX_BUFFERED_AGE", id="out of bounds"),
        pytest.param(
            answered(409, b"add 40 samples: out of bounds"), "service.instance.id", id="Thanos: out of bounds"
        ),
        pytest.param(
            answered(400, b'metadata \'HELP\' value too long: "xxx" metric "hits_total"'), "description", id="metadata"
        ),
        pytest.param(answered(409, b"add 1 samples: out of order sample"), "service.instance.id", id="Thanos"),
        pytest.param(
            answered(409, b"store locally for endpoint 10.0.0.7:10901: conflict"), "service.instance.id", id="conflict"
        ),
        pytest.param(answered(409), "service.instance.id", id="409"),
        pytest.param(answered(409, b"add 1 samples: too far in the future"), "clock", id="409: clock"),
        pytest.param(
            answered(
                400, b"rejected because another sample with the same timestamp " + MIMIR % b"sample-duplicate-timestamp"
            ),
            "service.instance.id",
            id="Mimir: duplicate",
        ),
        pytest.param(answered(401), "BEARER_TOKEN", id="401"),
        pytest.param(answered(403), "HEADERS", id="403"),
        pytest.param(answered(404), "ENDPOINT", id="404"),
        pytest.param(answered(405), "/api/v1/write", id="405"),
        pytest.param(answered(407), "PROXY", id="407"),
        pytest.param(answered(415), "PROTOCOL", id="415 to a version that was spoken before"),
        pytest.param(answered(413), "RESOURCE_LABELS", id="413 for a single series"),
        pytest.param(answered(429), "INTERVAL", id="429"),
        pytest.param(
            answered(429, b"ingestion rate limit (50) exceeded while adding 41 samples and 41 metadata"),
            "PROTOCOL=1.0",
            id="Cortex: a rate limit that counts metadata",
        ),
        pytest.param(answered(500, b"native histograms are disabled"), "DEFAULT_HISTOGRAM_AGGREGATION", id="histogram"),
        pytest.param(
            answered(400, b'sample invalid metric name: "http.server"'), "TRANSLATION_STRATEGY", id="Cortex: UTF-8 name"
        ),
        pytest.param(
            answered(400, b"received a series with an invalid metric name: 'a.b' " + MIMIR % b"metric-name-invalid"),
            "TRANSLATION_STRATEGY",
            id="Mimir: UTF-8 name",
        ),
        pytest.param(
            answered(400, b"received a series with an invalid label: 'a.b' " + MIMIR % b"label-invalid"),
            "TRANSLATION_STRATEGY",
            id="Mimir: UTF-8 label",
        ),
        pytest.param(
            answered(400, b"series has too many labels (actual: 41, limit: 30) series: 'target_info{}'"),
            "DISABLE_TARGET_INFO",
            id="Cortex: labels",
        ),
        pytest.param(
            answered(
                400, b"a series whose number of labels exceeds the limit " + MIMIR % b"max-label-names-per-series"
            ),
            "DISABLE_TARGET_INFO",
            id="Mimir: labels",
        ),
        pytest.param(
            answered(400, b"a series whose number of labels exceeds " + MIMIR % b"max-label-names-per-info-series"),
            "DISABLE_TARGET_INFO",
            id="Mimir: labels of an info series",
        ),
        pytest.param(answered(400, b"label names per series"), "DISABLE_TARGET_INFO", id="labels per series"),
        pytest.param(answered(400, b"the max-exemplars limit"), "DISABLE_EXEMPLARS", id="max-exemplars"),
        pytest.param(answered(400, b"out of order exemplar"), "DISABLE_EXEMPLARS", id="exemplars out of order"),
        pytest.param(
            answered(400, b"label value too long for metric: x label value: y"),
            "MAX_LABEL_VALUE_LENGTH",
            id="Cortex: label value",
        ),
        pytest.param(
            answered(400, b"a series whose label value length exceeds the limit " + MIMIR % b"label-value-too-long"),
            "MAX_LABEL_VALUE_LENGTH",
            id="Mimir: label value",
        ),
        pytest.param(
            answered(400, b"per-user series limit of 10 exceeded " + MIMIR % b"max-series-per-user"),
            "DROP_METRICS",
            id="Mimir: series of the tenant",
        ),
        pytest.param(
            answered(429, b"per-user series limit of 10 exceeded, please contact administrator to raise it"),
            "MAX_SERIES",
            id="Cortex: series of the tenant",
        ),
        pytest.param(
            answered(429, b"the tenant exceeded the request rate limit " + MIMIR % b"tenant-max-request-rate"),
            "MAX_SAMPLES_PER_SEND",
            id="Mimir: requests a second",
        ),
        pytest.param(answered(429, b"tenant is above active series limit"), "MAX_SERIES", id="Thanos: series"),
        pytest.param(
            answered(400, b"per-labelset series limit of 9 exceeded"), "MAX_SERIES", id="Cortex: series of labels"
        ),
        pytest.param(
            answered(400, b"per-user metric metadata limit of 8000 exceeded"), "descriptions", id="Cortex: metadata"
        ),
        pytest.param(
            answered(400, b'"http.x" is not a valid metric name'), "TRANSLATION_STRATEGY", id="an older wording"
        ),
        pytest.param(
            answered(400, b"sample with repeated timestamp but different value"),
            "service.instance.id",
            id="Cortex: a duplicate",
        ),
        pytest.param(answered(400, b"timestamp is too far in the future"), "clock", id="in the future"),
        pytest.param(answered(400, b"timestamp too new: 1 metric: x"), "clock", id="Cortex: in the future"),
        pytest.param(
            answered(400, b"a sample whose timestamp is too far in the future " + MIMIR % b"too-far-in-future"),
            "clock",
            id="Mimir: in the future",
        ),
        pytest.param(answered(400, b"start timestamp is after the sample's"), "clock", id="start after the sample"),
        pytest.param(
            answered(400, b"Client sent an HTTP request to an HTTPS server.\n"), "https://", id="Go's server with TLS"
        ),
        pytest.param(
            answered(400, b"<html>400 The plain HTTP request was sent to HTTPS port</html>"),
            "https://",
            id="nginx with TLS",
        ),
        pytest.param(answered(302, b"", {"Location": "http://login/"}), "ENDPOINT", id="a redirect"),
        pytest.param(answered(200, b"<!DOCTYPE html><title>Log in</title>"), "login page", id="a page for people"),
        pytest.param(
            network(socket.gaierror(-2, "Name not known")), "the host in OTEL_EXPORTER_PRW_ENDPOINT", id="DNS"
        ),
        pytest.param(
            network(ConnectionRefusedError(111, "refused")), "port in OTEL_EXPORTER_PRW_ENDPOINT", id="refused"
        ),
        pytest.param(network(TimeoutError()), "TIMEOUT", id="no answer"),
        pytest.param(network(ConnectionRefusedError(111, "x"), "http://proxy"), "PROXY", id="proxy"),
        pytest.param(network(ConnectionResetError(104, "x")), "https://", id="a server with TLS closes at once"),
        pytest.param(network(OSError(errno.EMFILE, "Too many open files")), "ulimit", id="too many open files"),
        pytest.param(network(OSError(errno.ENFILE, "Too many open files")), "ulimit", id="in the whole system"),
        pytest.param(Unsupported("415"), "PROTOCOL", id="protocol"),
    ],
)
def test_a_hint_names_what_to_look_at(error, names):
    assert names in hint(error)


def test_too_many_open_files_are_no_question_of_whether_the_receiver_runs():
    for proxy in ("", "http://proxy"):
        advice = hint(network(OSError(errno.EMFILE, "Too many open files"), proxy))
        assert "running" not in advice
        assert "PROXY" not in advice


# --- clouds ---


@pytest.mark.parametrize(
    ("status", "body", "headers", "receiver"),
    [
        (403, b'{"message":"Missing Authentication Token"}', {}, "http://gateway"),
        (403, b'{"message":"The request signature we calculated does not match"}', {}, "http://gateway"),
        (403, b'{"Message":"User: x is not authorized to perform: aps:RemoteWrite"}', {}, "http://gateway"),
        (403, b'{"message":"The security token included in the request is expired"}', {}, "http://gateway"),
        (403, b"'abc' not a valid key=value pair (missing equal-sign) in Authorization header", {}, "http://gateway"),
        (403, b"Authorization header requires 'Credential' parameter.", {}, "http://gateway"),
        (403, b"The AWS Access Key Id you provided does not exist in our records", {}, "http://gateway"),
        (403, b'{"Message":"User is not authorized to access this resource with an explicit deny"}', {}, "http://x"),
        (403, b'{"__type":"UnrecognizedClientException"}', {}, "http://gateway"),
        (403, b'{"__type":"com.amazon.coral.service#ExpiredTokenException"}', {}, "http://gateway"),
        (403, b"", {"x-amzn-ErrorType": "AccessDeniedException"}, "http://gateway"),
        (403, b"", {}, "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1/api/v1/remote_write"),
        (401, b"", {}, "https://aps-workspaces-fips.us-east-1.api.aws/workspaces/ws-1/api/v1/remote_write"),
    ],
)
def test_what_amazon_refuses_is_told_from_other_credentials(status, body, headers, receiver):
    error = answered(status, body, headers, Route(receiver))
    assert error.cause is Cause.AWS_CREDENTIALS
    assert "OTEL_EXPORTER_PRW_AUTH=sigv4" in hint(error)


@pytest.mark.parametrize(
    ("status", "body", "headers", "receiver"),
    [
        (
            403,
            b"The token does not have access to ingest data for the data collection rule dcr-1",
            {},
            "http://gateway",
        ),
        (401, b"", {"WWW-Authenticate": 'Bearer authorization_uri="https://login.microsoftonline.com/x"'}, "http://x"),
        (401, b"AADSTS700016: Application with identifier 'x' was not found in the directory", {}, "http://gateway"),
        (403, b'{"error":{"code":"InvalidAudience","message":"The audience is invalid."}}', {}, "http://gateway"),
        (401, b'{"error":{"code":"InvalidAuthenticationTokenTenant"}}', {}, "http://gateway"),
        (401, b"", {}, "https://name.westeurope-1.metrics.ingest.monitor.azure.com/dataCollectionRules/x"),
    ],
)
def test_what_azure_refuses_is_told_from_other_credentials(status, body, headers, receiver):
    error = answered(status, body, headers, Route(receiver))
    assert error.cause is Cause.AZURE_CREDENTIALS
    assert "OTEL_EXPORTER_PRW_AUTH=azure" in hint(error)


# --- the clock ---


@pytest.mark.parametrize(
    ("date", "words"),
    [
        ("Sun, 06 Nov 1994 07:49:37 GMT", "3600 s ahead of"),
        ("Sun, 06 Nov 1994 09:49:37 GMT", "3600 s behind"),
    ],
)
@pytest.mark.parametrize("body", [b"out of order sample", b"timestamp is too far in the future", b"too old sample"])
def test_where_the_clocks_differ_that_is_the_cause(date, words, body):
    error = answered(400, body, {"Date": date})
    assert error.cause is Cause.CLOCK
    assert words in str(error)
    assert "service.instance.id" not in hint(error)


@pytest.mark.parametrize("date", ["", "Sun, 06 Nov 1994 08:49:36 GMT", "Sun, 06 Nov 1994 08:49:20 GMT", "yesterday"])
def test_where_the_clocks_agree_two_processes_write_the_same_series(date):
    assert "service.instance.id" in hint(answered(400, b"out of order sample", {"Date": date}))


def test_a_clock_that_was_set_back_explains_what_is_out_of_order():
    error = answered(400, b"out of order sample", {"Date": "Sun, 06 Nov 1994 08:49:37 GMT"})
    assert "set back" in hint(error, clock_set_back=1800.0)
    assert "set back" not in hint(answered(404), clock_set_back=1800.0)


# --- a proxy ---


BEHIND_A_PROXY = Route("http://receiver", "http://proxy:3128")


@pytest.mark.parametrize(
    "headers",
    [{}, {"X-Squid-Error": "ERR_ACCESS_DENIED 0", "Via": "1.1 proxy (squid)"}, {"Proxy-Status": "proxy; error=x"}],
    ids=str,
)
def test_a_proxy_that_forwards_and_refuses_is_named(headers):
    error = answered(403, b"denied", headers, BEHIND_A_PROXY)
    assert str(error).startswith("the proxy http://proxy:3128 answered 403 Forbidden for http://receiver")
    assert "USERNAME" not in hint(error)
    assert "does not allow this host" in hint(error)


def test_a_proxy_that_refuses_to_connect_is_named():
    refused = OSError("Tunnel connection failed: 403 Forbidden")
    error = send_error(ProxyError("no", refused), Route("https://receiver", "http://proxy:3128"), 5.0)
    assert "USERNAME" not in hint(error)
    assert "does not allow this host" in hint(error)


def test_a_receiver_behind_a_proxy_that_refuses_is_asked_for_credentials():
    assert "USERNAME" in hint(answered(403, b"denied", {"Via": "1.1 proxy"}, BEHIND_A_PROXY))
    assert "USERNAME" in hint(answered(403, b"denied", {}, Route("https://receiver", "http://proxy:3128")))


# --- no hint ---


def test_a_receiver_that_is_not_trusted_needs_no_hint():
    error = network(ssl.SSLCertVerificationError(1, "certificate verify failed"))
    assert hint(error) == ""
    assert "OTEL_EXPORTER_PRW_CERTIFICATE" in str(error)


@pytest.mark.parametrize(
    "error",
    [answered(400, b"no such thing"), answered(422), answered(503), Retryable("x"), SendError("x")],
)
def test_where_nothing_is_known_nothing_is_said(error):
    assert hint(error) == ""


def test_a_receiver_that_is_switched_off_says_itself_how_to_switch_it_on():
    body = b"remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n"
    assert hint(answered(404, body)) == ""


def test_hints_name_only_variables_that_there_are():
    known = {value for name, value in variables.items() if name.startswith("OTEL_")}
    words = " ".join(hint(SendError("x", cause=cause)) for cause in Cause)
    named = set(re.findall("OTEL_EXPORTER_PRW_[A-Z0-9_]+", words))
    assert named
    assert named <= known
