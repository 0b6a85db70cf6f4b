"""What is wrong in the environment costs nobody anything but our metrics, and is told in one line."""

from __future__ import annotations

import pytest

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import PREFIX, rows, variable

NOTHING_IS_SENT = "; nothing is sent"
GARBAGE = "\x01 gar=bage, ,\x7f"  # fits no type


def start(fully, receiver, **variables):
    """Run the shop with spans on standard output; return what stands on standard error."""
    given = {"ENDPOINT": receiver.url, **variables}
    ended = fully(OTEL_TRACES_EXPORTER="console", **{PREFIX + name: text for name, text in given.items()})
    assert ended.status == 0
    assert '"name": "checkout"' in ended.output
    assert "flask is _InstrumentedFlask" in ended.output
    return ended.errors


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        pytest.param({"ENDPOINT": ""}, "ENDPOINT is not set: give it the receiver's write URL", id="no endpoint"),
        pytest.param({"ENDPOINT": "http://["}, "ENDPOINT='http://[' is not a URL:", id="a malformed endpoint"),
        pytest.param(
            {"ENDPOINT": "ftp://host/write"},
            "ENDPOINT='ftp://host/write' must begin with http:// or https://",
            id="an endpoint of another protocol",
        ),
        pytest.param({"HEADERS": "X-Scope-OrgID"}, "HEADERS must be a comma list of name=value", id="headers"),
        pytest.param({"PROXY": "proxy:3128"}, "PROXY must begin with http:// or https://", id="a proxy"),
        pytest.param(
            {"USERNAME": "u", "PASSWORD": "p", "BEARER_TOKEN": "t"},
            "USERNAME is one of several ways to authenticate that are set (a user name and password, a bearer token)",
            id="two ways to authenticate",
        ),
        pytest.param({"USERNAME": "u"}, "USERNAME and a password, or a file with one, go together", id="no password"),
        pytest.param({"BEARER_TOKEN": "$(TOKEN)"}, "BEARER_TOKEN still holds $(TOKEN)", id="an unexpanded token"),
        pytest.param(
            {"CLIENT_KEY": "key.pem"}, "CLIENT_KEY needs the certificate that belongs to it", id="half a pair"
        ),
    ],
)
def test_where_it_would_not_be_safe_nothing_is_sent(fully, receiver, variables, line):
    (error,) = start(fully, receiver, **variables)
    assert error.startswith(PREFIX + line)
    assert error.endswith(NOTHING_IS_SENT)
    assert receiver.connections == 0


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({"USERNAME": "u", "PASSWORD_FILE": "none.pem"}, id="a password"),
        pytest.param({"BEARER_TOKEN_FILE": "none.pem"}, id="a token"),
        pytest.param({"BEARER_TOKEN_FILE": "."}, id="a token in a folder"),
        pytest.param({"ENDPOINT": "https://127.0.0.1:9/write", "CERTIFICATE": "none.pem"}, id="authorities"),
        pytest.param({"ENDPOINT": "https://127.0.0.1:9/write", "CLIENT_CERTIFICATE": "none.pem"}, id="a certificate"),
    ],
)
def test_unreadable_file_is_told_and_nothing_is_sent(fully, receiver, variables):
    *_, (name, path) = variables.items()
    (error,) = start(fully, receiver, **variables)
    assert f"{PREFIX}{name}: {path!r} " in error
    assert receiver.connections == 0


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        pytest.param(
            {"TIMEOUT": "30s"},
            "TIMEOUT='30s' must be a whole number of milliseconds; the default is used (30000)",
            id="timeout",
        ),
        pytest.param({"INTERVAL": "-1"}, "INTERVAL='-1' must not be below 0; the default is used (", id="an interval"),
        pytest.param(
            {"MAX_SAMPLES_PER_SEND": "1e3"}, "MAX_SAMPLES_PER_SEND='1e3' must be a whole number", id="a number"
        ),
        pytest.param(
            {"TRANSLATION_STRATEGY": "snake"}, "TRANSLATION_STRATEGY='snake' must be one of", id="an unknown word"
        ),
        pytest.param({"DISABLE_EXEMPLARS": "1"}, "DISABLE_EXEMPLARS='1' must be true or false", id="a switch"),
        pytest.param({"HISTOGRAM_BOUNDARIES": "2,1"}, "HISTOGRAM_BOUNDARIES='2,1' must increase", id="boundaries"),
        pytest.param(
            {"EXTERNAL_LABELS": "a.b=c"}, "EXTERNAL_LABELS='a.b=c' holds 'a.b', which is not a label name", id="labels"
        ),
        pytest.param(
            {"TIMOUT": "1"}, "TIMOUT is not a variable of this exporter; did you mean", id="a misspelled name"
        ),
    ],
)
def test_where_a_default_is_safe_it_takes_the_place_of_what_is_wrong(fully, receiver, variables, line):
    (error,) = start(fully, receiver, **variables)
    assert error.startswith(PREFIX + line)
    assert receiver.values("orders_total", method="card") == [0, 3]
    assert receiver.rejected == []


def test_garbage_in_every_variable_at_once_is_told_once_for_each(fully, receiver):
    errors = start(fully, receiver, **{row.variable: GARBAGE for row in rows().values()})
    told = [line.partition(" ")[0].partition("=")[0] for line in errors]
    assert told == [variable(name) for name in rows()]
    assert receiver.connections == 0


def test_garbage_in_everything_but_what_is_sent_where_and_how_does_not_keep_metrics_from_arriving(fully, receiver):
    tunable = {row.variable: GARBAGE for row in rows().values() if not row.guards}
    errors = start(fully, receiver, **tunable)
    assert len(errors) == len(tunable)
    assert receiver.values("orders_total", method="card") == [0, 3]
