import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.transport.message import redacted, shown_url, shown_words


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"out of order sample\n", "out of order sample"),
        (b"  a\r\n\tb\x00\x1b[0mc\x7f ", "a b [0mc"),
        ("µ\u2028µ\u202eµ\x85".encode(), "µ µ µ"),
        (b"\xff\xfe ok", "\ufffd\ufffd ok"),
        (b"x" * 300, "x" * 256),
        ("é".encode() * 300, "é" * 128),
        (b"x" + "é".encode() * 300, "x" + "é" * 127 + "\ufffd"),
    ],
)
def test_foreign_text_becomes_one_short_line(data, text):
    assert shown_words(data) == text


@given(st.binary())
def test_whatever_it_is_it_can_be_printed(data):
    line = shown_words(data)
    assert line.isprintable()
    assert len(line) <= 256


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://host:9090/api/v1/write", "http://host:9090/api/v1/write"),
        ("https://user:pass@host/write?token=x#y", "https://host/write"),
        ("https://us@er:p@ss@host/", "https://host/"),
        ("/login?next=x", "/login"),
        ("//user:pass@host/x", "//host/x"),
        ("http://[::1]:80/", "http://[::1]:80/"),
        ("http://[::1/", "a malformed URL"),
        ("http://host/\x1b[2J\nx", "http://host/ [2Jx"),
    ],
)
def test_a_url_is_shown_without_userinfo_query_and_fragment(url, shown):
    assert shown_url(url) == shown


@given(st.text())
def test_whatever_the_url_it_can_be_printed(url):
    assert shown_url(url).isprintable()


def test_secrets_are_replaced_the_longest_first():
    assert redacted(b"token abc and abcdef, abc", [b"abc", b"abcdef", b""]) == b"token *** and ***, ***"
