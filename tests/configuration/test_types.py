"""How text is read from a variable, and what is accepted as a keyword."""

from __future__ import annotations

import math
from types import NoneType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.configuration.number_types import (
    BOOLEAN,
    BOUNDARIES,
    COUNT,
    MILLISECONDS,
    TIMEOUT,
    enumeration,
)
from opentelemetry.exporter.prometheus_remote_write.configuration.text_types import (
    HEADERS,
    LABELS,
    NAMES,
    PATH,
    PROXIES,
    SECRET,
    TEXT,
    URL,
    USERNAME,
)

WORD = enumeration("auto", "NoTranslation")
TEXTS = [HEADERS, LABELS, NAMES, PATH, PROXIES, SECRET, TEXT, URL, USERNAME]
ALL = [BOOLEAN, BOUNDARIES, COUNT, MILLISECONDS, TIMEOUT, WORD, *TEXTS]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        pytest.param(TEXT, "a b=c,d", "a b=c,d", id="text is taken as it is"),
        pytest.param(TEXT, "pass$word$(", "pass$word$(", id="a dollar is no reference"),
        pytest.param(SECRET, " $(a) ", " $(a) ", id="a secret is taken as it is"),
        pytest.param(SECRET, "${X}", "${X}", id="a secret with a shell's reference"),
        pytest.param(USERNAME, "user@realm", "user@realm", id="a user name"),
        pytest.param(PATH, "/run/secrets/token", "/run/secrets/token", id="a path"),
        pytest.param(PATH, "password", "password", id="a file in the working directory"),
        pytest.param(URL, "https://[::1]:9090/a?b=c", "https://[::1]:9090/a?b=c", id="a URL is taken as it is"),
        pytest.param(URL, "HTTP://host", "HTTP://host", id="a scheme ignores case"),
        pytest.param(BOOLEAN, "TRUE", True, id="true ignores case"),
        pytest.param(BOOLEAN, "False", False, id="false ignores case"),
        pytest.param(COUNT, "2000", 2000, id="a number"),
        pytest.param(COUNT, "+1", 1, id="a number with a sign"),
        pytest.param(MILLISECONDS, "2147483647", 2147483647, id="the longest interval"),
        pytest.param(TIMEOUT, "1500", 1.5, id="milliseconds become seconds"),
        pytest.param(TIMEOUT, "0", math.inf, id="a timeout of 0 is no limit"),
        pytest.param(WORD, "AUTO", "auto", id="a word ignores case"),
        pytest.param(WORD, "notranslation", "NoTranslation", id="a word is spelled as in the table"),
        pytest.param(HEADERS, "a=1, B = x%2Cy ,", {"a": "1", "B": "x,y"}, id="headers, with an encoded comma"),
        pytest.param(HEADERS, "Authorization=Bearer abc==", {"Authorization": "Bearer abc=="}, id="a raw credential"),
        pytest.param(HEADERS, "a=%E2%82%AC", {"a": "€"}, id="headers are encoded as UTF-8"),
        pytest.param(HEADERS, "a=", {"a": ""}, id="an empty header"),
        pytest.param(LABELS, "cluster=eu-1,env=a%3Db", {"cluster": "eu-1", "env": "a=b"}, id="labels"),
        pytest.param(LABELS, "a=,b=1", {"b": "1"}, id="an empty label is no label"),
        pytest.param(NAMES, " a.* ,!b,, ", ("a.*", "!b"), id="a list without its empty items"),
        pytest.param(BOUNDARIES, "0, .5,1e3", (0.0, 0.5, 1000.0), id="boundaries"),
        pytest.param(
            PROXIES, "http://p:1", {"http": "http://p:1", "https": "http://p:1"}, id="one proxy for both schemes"
        ),
    ],
)
def test_text_is_read(kind, text, value):
    assert kind.parse(text) == value


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        pytest.param(TEXT, "a\nb", "a control character or a line break", id="text of two lines"),
        pytest.param(TEXT, "\udcff", "not valid UTF-8", id="bytes that are not UTF-8"),
        pytest.param(TEXT, "Bearer $(TOKEN)", "still holds $(TOKEN), which Kubernetes expands only", id="unexpanded"),
        pytest.param(TEXT, "${NAME}", "still holds ${NAME}, which only a shell expands", id="a shell's reference"),
        pytest.param(SECRET, "a\x00", "a control character or a line break", id="a secret with a NUL"),
        pytest.param(USERNAME, "user:pass", "holds a colon", id="a user name with the password"),
        pytest.param(PATH, "-----BEGIN PRIVATE KEY-----\nMII", "looks like a secret, not like a path", id="a key"),
        pytest.param(PATH, "-----BEGIN RSA PRIVATE KEY-----", "looks like a secret", id="the first line of a key"),
        pytest.param(PATH, "eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "looks like a secret", id="a JSON web token"),
        pytest.param(PATH, "Bearer abc", "looks like a secret", id="a header's value"),
        pytest.param(URL, "localhost:9090/write", "must begin with http:// or https://", id="a URL without a scheme"),
        pytest.param(URL, "ftp://host/", "must begin with http:// or https://", id="another scheme"),
        pytest.param(URL, "http:///write", "must name a host", id="a URL without a host"),
        pytest.param(URL, "http://host:x/", "host or its port cannot be read", id="a port that is no number"),
        pytest.param(URL, "http://host:99999/", "host or its port cannot be read", id="a port that is too large"),
        pytest.param(URL, "http://[::1/", "host or its port cannot be read", id="an open bracket"),
        pytest.param(URL, "http://a b/", "must not hold white space", id="a URL with a space"),
        pytest.param(BOOLEAN, "1", "must be true or false", id="1 is not true"),
        pytest.param(BOOLEAN, "yes", "must be true or false", id="yes is not true"),
        pytest.param(COUNT, "0", "must not be below 1", id="a count of nothing"),
        pytest.param(COUNT, "1.5", "must be a whole number", id="half a sample"),
        pytest.param(COUNT, "٣", "must be a whole number", id="a digit that is not ASCII"),
        pytest.param(MILLISECONDS, "2147483648", "must not be above 2147483647", id="an interval of a month"),
        pytest.param(MILLISECONDS, "10s", "must be a whole number of milliseconds", id="a duration with a unit"),
        pytest.param(TIMEOUT, "10s", "must be a whole number of milliseconds", id="a timeout with a unit"),
        pytest.param(TIMEOUT, "-1", "must not be negative", id="a negative timeout"),
        pytest.param(WORD, "manual", "must be one of auto, NoTranslation", id="an unknown word"),
        pytest.param(HEADERS, "secret", "must be a comma list of name=value", id="a header without a value"),
        pytest.param(HEADERS, "=secret", "must be a comma list of name=value", id="a header without a name"),
        pytest.param(HEADERS, "a b=secret", "holds an invalid header name", id="a header's name with a space"),
        pytest.param(HEADERS, "a=x%0D%0Ay", "a control character or a line break", id="a header in a header"),
        pytest.param(HEADERS, "a=%ff", "not valid UTF-8 where it is percent-encoded", id="a header that is not UTF-8"),
        pytest.param(LABELS, "a=\udcff", "not valid UTF-8", id="a label that is not UTF-8"),
        pytest.param(LABELS, "__a=1", "holds '__a', which is not a label name", id="a reserved label"),
        pytest.param(LABELS, "a.b=1", "holds 'a.b', which is not a label name", id="a label with a dot"),
        pytest.param(BOUNDARIES, "1,a", "must be a comma list of numbers", id="a boundary that is no number"),
        pytest.param(BOUNDARIES, "1,1", "must increase", id="a boundary twice"),
        pytest.param(BOUNDARIES, "1,inf", "must be finite numbers", id="an infinite boundary"),
        pytest.param(PROXIES, "socks5://p:1", "must begin with http:// or https://", id="a SOCKS proxy"),
    ],
)
def test_text_that_does_not_fit_is_refused_with_a_reason(kind, text, reason):
    with pytest.raises(ValueError) as refused:
        kind.parse(text)
    assert reason in str(refused.value)
    assert type(refused.value) is ValueError  # a UnicodeError's text would quote the value


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        pytest.param(TEXT, "", "", id="empty text"),
        pytest.param(BOOLEAN, True, True, id="a boolean"),
        pytest.param(COUNT, 7, 7, id="a number"),
        pytest.param(TIMEOUT, 30, 30.0, id="whole seconds"),
        pytest.param(TIMEOUT, 0.25, 0.25, id="parts of a second"),
        pytest.param(TIMEOUT, 0, math.inf, id="a timeout of 0 is no limit"),
        pytest.param(WORD, "AUTO", "auto", id="a word"),
        pytest.param(HEADERS, {"A": "x%2Cy"}, {"A": "x%2Cy"}, id="a mapping's values are not encoded"),
        pytest.param(HEADERS, "A=x%2Cy", {"A": "x,y"}, id="headers as text, as a declarative file may have them"),
        pytest.param(LABELS, {"a": "", "b": "1"}, {"b": "1"}, id="an empty label is no label"),
        pytest.param(LABELS, "b=1", {"b": "1"}, id="labels as text"),
        pytest.param(
            PROXIES, {"https": "http://p:1", "http": ""}, {"https": "http://p:1"}, id="a proxy for one scheme"
        ),
        pytest.param(NAMES, ["a.*", ""], ("a.*",), id="a list"),
        pytest.param(NAMES, "a.*,b", ("a.*", "b"), id="a list as text"),
        pytest.param(BOUNDARIES, [1, 2.5], (1.0, 2.5), id="boundaries"),
        pytest.param(BOUNDARIES, "1,2.5", (1.0, 2.5), id="boundaries as text"),
    ],
)
def test_keyword_is_accepted(kind, given, value):
    assert kind.accept(given) == value


@pytest.mark.parametrize(
    ("kind", "given", "error"),
    [
        pytest.param(TEXT, 5, TypeError, id="a number is no text"),
        pytest.param(TEXT, b"a", TypeError, id="bytes are no text"),
        pytest.param(URL, "host", ValueError, id="a URL without a scheme"),
        pytest.param(BOOLEAN, "true", TypeError, id="a word is no boolean"),
        pytest.param(BOOLEAN, 1, TypeError, id="a number is no boolean"),
        pytest.param(COUNT, True, TypeError, id="a boolean is no number"),
        pytest.param(COUNT, 1.0, TypeError, id="a float is no count"),
        pytest.param(COUNT, 0, ValueError, id="a count of nothing"),
        pytest.param(TIMEOUT, "30", TypeError, id="text is no number of seconds"),
        pytest.param(TIMEOUT, True, TypeError, id="a boolean is no number of seconds"),
        pytest.param(TIMEOUT, -1, ValueError, id="a negative timeout"),
        pytest.param(TIMEOUT, math.nan, ValueError, id="a timeout that is not a number"),
        pytest.param(TIMEOUT, 10**400, ValueError, id="a timeout beyond all numbers"),
        pytest.param(WORD, "manual", ValueError, id="an unknown word"),
        pytest.param(WORD, None, TypeError, id="no word"),
        pytest.param(HEADERS, ["a=1"], TypeError, id="a list is no mapping"),
        pytest.param(HEADERS, {"a": 1}, TypeError, id="a header's value that is no text"),
        pytest.param(LABELS, {"a b": "1"}, ValueError, id="a label's name with a space"),
        pytest.param(PROXIES, {"ftp": "http://p"}, ValueError, id="a proxy for another scheme"),
        pytest.param(PROXIES, "http://p", TypeError, id="a proxy that is no mapping"),
        pytest.param(NAMES, [1], TypeError, id="a list of numbers"),
        pytest.param(NAMES, ["a\nb"], ValueError, id="a name of two lines"),
        pytest.param(BOUNDARIES, ["1"], TypeError, id="boundaries that are text"),
        pytest.param(BOUNDARIES, [2, 1], ValueError, id="boundaries that fall"),
        pytest.param(BOUNDARIES, [10**400], ValueError, id="a boundary beyond all numbers"),
    ],
)
def test_keyword_that_does_not_fit_is_refused(kind, given, error):
    with pytest.raises(error):
        kind.accept(given)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
@given(text=st.text(st.characters(exclude_categories=()), min_size=1).filter(lambda text: text == text.strip()))
def test_any_text_is_either_read_or_refused_by_a_value_error(kind, text):
    error = None
    try:
        kind.parse(text)
    except ValueError as refused:
        error = refused
    assert type(error) in {ValueError, NoneType}  # a UnicodeError's text would quote the value


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://user:hunter2", id="the host is forgotten"),
        pytest.param("http://user:hunter2#3@host", id="a hash in the password"),
        pytest.param("http://user:hunter2/3@host", id="a slash in the password"),
        pytest.param("http://user:hunter2@host\u2100", id="a host that is no name"),
        pytest.param("http://user:hunter2@[host]", id="a host in brackets that is no address"),
    ],
)
def test_what_is_wrong_with_a_url_is_said_without_quoting_it(url):
    with pytest.raises(ValueError) as refused:
        URL.parse(url)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__suppress_context__
