import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.errors import Cause, Rejected, Retryable, SendError, Unsendable
from opentelemetry.exporter.prometheus_remote_write.transport.answer import Answer, refusal, retry_after, unpacked
from opentelemetry.exporter.prometheus_remote_write.transport.failure import Route

RECEIVER = Route("http://host/")
NOW = 784_111_777.0  # Sun, 06 Nov 1994 08:49:37 GMT


@pytest.mark.parametrize("status", [200, 204, 299])
def test_2xx_is_accepted(status):
    assert Answer(status, {}, b"").accepted


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (101, Rejected),
        (300, Rejected),
        (304, Rejected),
        (400, Rejected),
        (401, Rejected),
        (404, Rejected),
        (407, Rejected),
        (408, Rejected),
        (413, Rejected),
        (415, Rejected),
        (429, Retryable),
        (499, Rejected),
        (500, Retryable),
        (501, Retryable),
        (503, Retryable),
        (599, Retryable),
        (999, Retryable),
    ],
)
def test_every_other_status_is_an_error_that_says_what_to_do(status, error):
    answer = Answer(status, {}, b"because")
    assert not answer.accepted
    refused = refusal(answer, RECEIVER, NOW)
    assert type(refused) is error
    assert refused.status == status
    assert str(refused).startswith(f"http://host/ answered {status}")
    assert str(refused).endswith(": because")


def test_a_body_of_many_lines_becomes_one():
    refused = refusal(Answer(400, {}, b"first\r\n\x1b[31msecond\0\n"), RECEIVER, NOW)
    assert str(refused) == "http://host/ answered 400 Bad Request: first [31msecond"


def test_without_a_body_the_status_stands_alone():
    assert str(refusal(Answer(503, {}, b" \n"), RECEIVER, NOW)) == "http://host/ answered 503 Service Unavailable"


def test_a_body_that_only_repeats_the_status_is_not_said_twice():
    refused = refusal(Answer(405, {}, b"Method Not Allowed\n"), RECEIVER, NOW)
    assert str(refused) == "http://host/ answered 405 Method Not Allowed"


def test_a_redirect_without_a_place_is_told_like_any_other_refusal():
    assert str(refusal(Answer(302, {}, b"moved"), RECEIVER, NOW)) == "http://host/ answered 302 Found: moved"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("", None),
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("9" * 400, None),
        ("soon", None),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
        ("Sun, 06 Nov 1994 08:50:07 GMT", 30.0),
        ("Sun, 06 Nov 1994 09:50:07 +0100", 30.0),
        ("Sunday, 06-Nov-94 08:50:07 GMT", 30.0),
        ("Sun Nov  6 08:50:07 1994", 30.0),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0.0),
        ("Sun, 99 Nov 1994 08:00:00 GMT", None),
        ("1\x1d", None),
        ("1\x85", None),
        ("1\xa0", None),
        ("\u20031", None),
        ("1\t", 1.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, seconds):
    assert retry_after(value, NOW) == seconds


@given(
    st.integers(100, 999),
    st.dictionaries(
        st.sampled_from(["Retry-After", "Location", "Date", "WWW-Authenticate", "Via", "Content-Encoding", "x-amzn-x"]),
        st.text(st.characters(max_codepoint=255)),
    ),
    st.binary()
    | st.text().map(str.encode)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["status", "error", "code", "x"]), inner),
    ).map(lambda value: json.dumps(value).encode()),
    st.sampled_from([RECEIVER, Route("http://host/", "http://proxy"), Route("https://host/", "http://proxy")]),
)
def test_nothing_that_a_receiver_writes_raises_out_of_its_interpretation(status, headers, body, route):
    answer = Answer(status, headers, unpacked(body, headers.get("Content-Encoding", "gzip")))
    if not answer.accepted:
        error = refusal(answer, route, NOW)
        assert isinstance(error, SendError)
        assert str(error).isprintable()


# --- 2xx that is no receiver's ---


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html><title>Log in</title></html>",
        b"\xef\xbb\xbf\r\n  <!doctype HTML>",
        b"<html lang='en'><head>",
        b"<!-- a proxy's --><?xml version='1.0'?><html xmlns='x'>",
        b"<h1>Sign in</h1>",
        b"<center><h1>Log in</h1></center>",
        b'<a href="/login">Found</a>.',
        b"<FORM action=/login>",
        "\ufeff<html>".encode("utf-16-le"),
        "\ufeff<html>".encode("utf-16-be"),
        b'{"status":"error","errorType":"bad_data","error":"x"}',
        b'{ "status" : "ERROR" }',
        b'{"Status":"Error"}',
        b'{"Error":"AccessDenied"}',
        b'{"errorMessage":"no"}',
        b'{"error_description":"no"}',
        b'{"result":"error"}',
        b'{"type":"error"}',
        b'{"status":"denied"}',
        b'{"status":"500"}',
        b'{"code":"401"}',
        b'{"status":{"code":503}}',
        b'{"success":"false"}',
        b'[{"status":"error"}]',
        b'[{},{"error":"no"}]',
        b'{"errorType":"bad_data","status":"error","error":"' + b"x" * 4096,
        b'{"error":"unauthorized"}',
        b'{"errors":[{"message":"not allowed"}]}',
        b'{"code":16,"error":"unauthenticated"}',
        b'{"status":401,"message":"Unauthorized"}',
        b'{"success":false}',
        b'{"ok":false}',
        b'{"status":"error","error":"' + b"x" * 4096,
    ],
)
def test_a_page_and_an_error_are_no_answers_of_a_receiver(body):
    answer = Answer(200, {}, body)
    assert not answer.accepted
    error = refusal(answer, RECEIVER, NOW)
    assert isinstance(error, Rejected)
    assert error.cause is Cause.NO_RECEIVER
    assert "answered 200 OK, but not as a Remote Write receiver would" in str(error)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"ok",
        b"<3",
        b"stored in <html>",
        b"<accepted/>",
        b"<hr1>",
        b"\xff\xfe",
        b"<",
        b"null",
        b"[]",
        b'"error"',
        b"{}",
        b'{"status":"success"}',
        b'{"status":"success","error":null,"errors":[]}',
        b'{"status":200,"code":0}',
        b'{"errors":false}',
        b'{"code":40000}',
        b'{"type":"ack","status":{"code":0}}',
        b'[{"status":"success"},"error",401]',
        b'{"partialSuccess":{}}',
        b'{"message":"an error? no"}',
        b"\x1f\x8b\x08 cut",
        b"[" * 4000,
    ],
)
@pytest.mark.parametrize("content_type", ["text/html", "application/json", ""])
def test_any_other_body_of_2xx_is_accepted(body, content_type):
    assert Answer(200, {"Content-Type": content_type}, body).accepted


def test_who_counts_what_was_written_is_a_receiver_whatever_else_is_said():
    headers = {"x-prometheus-remote-write-samples-written": "many"}
    assert Answer(200, headers, b"<html>thank you</html>").accepted
    assert not Answer(400, headers, b"").accepted


# --- packed bodies ---


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("GZIP ", gzip.compress), ("deflate", zlib.compress)],
)
def test_a_packed_body_is_unpacked_within_a_bound(encoding, pack):
    assert unpacked(pack(b"out of order sample"), encoding) == b"out of order sample"
    assert unpacked(pack(b"out of order sample" * 99)[:-12], encoding).startswith(b"out of order sample")
    assert len(unpacked(pack(bytes(50_000_000)), encoding)) <= 4096


def test_a_body_without_the_frame_of_zlib_is_unpacked():
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(b"out of order sample") + packer.flush()
    assert unpacked(packed, "deflate") == b"out of order sample"


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br"])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\x1b\x12\x00\xf8\x25\x00\x82\x98\x40", id="packed by brotli"),
        pytest.param(b"\x28\xb5\x2f\xfd\x20\x13", id="packed by zstd"),
        pytest.param(gzip.compress(b"a"), id="packed by gzip"),  # holds the time: no name of a test may
    ],
)
def test_what_cannot_be_unpacked_is_no_text(encoding, body):
    assert unpacked(body, encoding) == b""


@pytest.mark.parametrize("encoding", ["", "identity", "br", "zstd", "gzip, br"])
def test_what_is_packed_otherwise_stays_as_it_is(encoding):
    assert unpacked(b"text", encoding) == b"text"


def test_what_only_claims_to_be_packed_is_nothing():
    assert unpacked(b"plain", "gzip") == b""


# --- causes that decide ---


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, b"received message larger than max (5 vs. 4)", Rejected),
        (413, b"", Rejected),
        (500, b"rpc error: code = ResourceExhausted desc = grpc: received message larger than max (5 vs. 4)", Rejected),
        (500, b"rpc error: code = ResourceExhausted desc = trying to send message larger than max (5 vs. 4)", Rejected),
        (400, b"snappy: decoded length 40000000 exceeds limit 33554432", Rejected),
        (400, b"http: request body too large", Rejected),
        (400, b"too big unpacked request; mustn't exceed 33554432 bytes", Rejected),
        (400, b"too big packed request; mustn't exceed -maxInsertRequestSize=33554432 bytes", Rejected),
        (400, b"too big data size exceeding -maxInsertRequestSize=33554432 bytes", Rejected),
        (400, b"decompressed size 40000000 exceeds the maximum of 33554432", Rejected),
        (400, b"snappy: decoded size 40000000 exceeds maximum allowed 33554432", Rejected),
        (400, b"grpc: received message after decompression larger than max (5 vs. 4)", Rejected),
        (400, b"the request body size of 5 bytes exceeded the limit of 4", Rejected),
        (413, b"<html><body><h1>413 Request Entity Too Large</h1></body></html>", Rejected),
        (413, b"write request size 5 over limit", Rejected),
        (429, b"rpc error: code = ResourceExhausted desc = grpc: received message larger than max (5 vs. 4)", Rejected),
        (500, b"Payload too large", Rejected),
        (400, b"Client sent an HTTP request to an HTTPS server.\n", Unsendable),
        (400, b"<html>400 The plain HTTP request was sent to HTTPS port</html>", Unsendable),
        (400, b"Reason: You're speaking plain HTTP to an SSL-enabled server port.", Unsendable),
        (400, b"Bad Request\r\nThis combination of host and port requires TLS.\r\n", Unsendable),
        (403, b"The page must be viewed over a secure channel: SSL is required to view this resource.", Unsendable),
        (426, b"HTTPS required", Unsendable),
    ],
)
def test_what_a_status_does_not_say_the_words_do(status, body, error):
    refused = refusal(Answer(status, {}, body), RECEIVER, NOW)
    assert type(refused) is error
    assert refused.cause is (Cause.WANTS_TLS if error is Unsendable else Cause.TOO_LARGE)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"rpc error: code = ResourceExhausted desc = ingestion rate limit (50) exceeded"),
        (429, b"the request has been rejected because the tenant exceeded the ingestion rate limit"),
        (400, b"label value too long for metric"),
        (400, b"received a series whose label value length exceeds the limit"),
        (400, b"a series whose number of labels exceeds the limit (actual: 41, limit: 30)"),
        (502, b"the message is larger than the upstream allows"),
        (404, b"request body too large"),
        (500, b"the request exceeds the timeout of 10 s"),
        (500, b"context deadline exceeded while the request was handled"),
        (429, b"request rate exceeds the limit"),
        (429, b"the tenant exceeded the request rate limit, set to 30 requests/s (err-mimir-tenant-max-request-rate)"),
        (503, b"the message is larger than the queue has room for"),
    ],
)
def test_other_limits_are_not_the_size_of_a_request(status, body):
    assert refusal(Answer(status, {}, body), RECEIVER, NOW).cause is not Cause.TOO_LARGE


@given(st.text() | st.from_regex(r"\w{3}, \d{1,3} \w{3} \d{1,6} \d{2}:\d{2}:\d{2} [-+A-Z0-9]*", fullmatch=True))
def test_retry_after_is_never_an_error_and_never_negative(value):
    seconds = retry_after(value, NOW)
    assert seconds is None or seconds >= 0
