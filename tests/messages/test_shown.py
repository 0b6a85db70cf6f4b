"""Of what a user has configured, messages show no secret, wherever it was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.messages.shown import (
    is_pasted_secret,
    shown_malformed_url,
    shown_path,
    shown_url,
    shown_value,
    shown_words,
)

PASSWORD = "pa:ss wörd@/hunter2"
TOKEN = "tok3n-0123456789-aBcDeF"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("out of order sample\n", "out of order sample"),
        ("  a\r\n\tb\x00\x1b[0mc\x7f ", "a b [0mc"),
        ("µ\u2028µ\u202eµ\x85", "µ µ µ"),
        ("x" * 300, "x" * 256),
        ("é" * 300, "é" * 256),
    ],
)
def test_foreign_text_becomes_one_short_line(text, shown):
    assert shown_words(text) == shown


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
        ("http://user:12/34pass@host/", "a URL with an @ after its host"),
        ("http://user:p@ss#word@host/", "a URL with an @ after its host"),
        ("http://host/\x1b[2J\nx", "http://host/ [2Jx"),
    ],
)
def test_a_url_is_shown_without_userinfo_query_and_fragment(url, shown):
    assert shown_url(url) == shown


@given(st.text())
def test_whatever_the_url_it_can_be_printed(url):
    assert shown_url(url).isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("localhost:9090/write", "localhost:9090/write"),
        ("user:hunter2@host/write", "host/write"),
        ("ftp://host/write?token=hunter2", "ftp://host/write"),
        ("ftp://host/write?token=a@hunter2", ""),
        ("glceyJrIjoiZjAxMjM0NTY3ODkifQ", ""),
        ("Bearer hunter2", ""),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""),
        (
            "server-0.monitoring.svc:9090/api/prom/remote/write",
            "server-0.monitoring.svc:9090/api/prom/remote/write",
        ),
    ],
)
def test_of_a_malformed_url_only_what_is_no_secret_is_shown(text, shown):
    assert shown_malformed_url(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "https://me:hunter2@host/write",
        "https://hunter2@host/write",
        "https://host/write?token=hunter2",
        "X-Scope-OrgID=shop,Authorization=Bearer hunter2",
        "550e8400-e29b-41d4-a716-446655440000",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "sk-live-4f9d81c2a7b3",
        "X-Api-Key=hunter2",
        "header eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
    ],
)
def test_a_secret_in_the_wrong_variable_is_not_shown(text):
    assert shown_value(text) == ""


@pytest.mark.parametrize(
    "text", ["30s", "5 minutes", "yes", "region=eu, zone", "a,b=c=d", "UnderscoreEscaping", "1.0/2.0", "0.1;0.5;1"]
)
def test_a_wrong_value_is_shown(text):
    assert shown_value(text) == text


@pytest.mark.parametrize(
    "path",
    [
        "/var/run/secrets/kubernetes.io/serviceaccount/token",
        "/tmp/pytest-of-root/pytest-0/test_a_0/password",
        "./token",
        "../x",
        "~/.config/token",
        r"C:\Users\me\token.txt",
        "certs/ca.pem",
        "key.pem",
        ".",
        "..",
    ],
)
def test_a_path_is_shown(path):
    assert shown_path(path) == repr(path)
    assert not is_pasted_secret(path)


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        PASSWORD,
        "hunter2",
        "letmein",
        "correct horse battery staple",
        "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\n",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "/9j4AAQSkZJRgABAQEAYABgAAD",
        "glc_eyJvIjoiMSIsIm4iOiJ4In0=",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "Bearer abc",
    ],
)
def test_a_pasted_secret_is_not_shown_as_a_path(text):
    assert shown_path(text) == "its value, which looks like a secret, not like a path,"
