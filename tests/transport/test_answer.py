import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.errors import Rejected, Retryable
from opentelemetry.exporter.prometheus_remote_write.transport.answer import Answer, refusal, retry_after

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
    refused = refusal(answer, "http://host/", NOW)
    assert type(refused) is error
    assert refused.status == status
    assert str(refused).startswith(f"http://host/ answered {status}")
    assert str(refused).endswith(": because")


def test_a_body_of_many_lines_becomes_one():
    refused = refusal(Answer(400, {}, b"first\r\n\x1b[31msecond\0\n"), "http://host/", NOW)
    assert str(refused) == "http://host/ answered 400 Bad Request: first [31msecond"


def test_without_a_body_the_status_stands_alone():
    assert str(refusal(Answer(503, {}, b" \n"), "http://host/", NOW)) == "http://host/ answered 503 Service Unavailable"


def test_a_body_that_only_repeats_the_status_is_not_said_twice():
    refused = refusal(Answer(405, {}, b"Method Not Allowed\n"), "http://host/", NOW)
    assert str(refused) == "http://host/ answered 405 Method Not Allowed"


def test_a_redirect_without_a_place_is_told_like_any_other_refusal():
    assert str(refusal(Answer(302, {}, b"moved"), "http://host/", NOW)) == "http://host/ answered 302 Found: moved"


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
    ],
)
def test_retry_after_is_seconds_or_a_date(value, seconds):
    assert retry_after(value, NOW) == seconds


@given(st.text() | st.from_regex(r"\w{3}, \d{1,3} \w{3} \d{1,6} \d{2}:\d{2}:\d{2} [-+A-Z0-9]*", fullmatch=True))
def test_retry_after_is_never_an_error_and_never_negative(value):
    seconds = retry_after(value, NOW)
    assert seconds is None or seconds >= 0
