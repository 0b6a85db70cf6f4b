"""What is legal and yet hardly meant: one sentence each, and nothing where all is well."""

import pytest

from opentelemetry.exporter.prometheus_remote_write.configuration.loading import load
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import PREFIX

URL = "http://host:9090/api/v1/write"
LOGIN = {"USERNAME": "user"}


def doubts(**variables):
    _, problems = load({}, {PREFIX + name: text for name, text in {"ENDPOINT": URL, **variables}.items()})
    assert not any(problem.fatal for problem in problems)
    return [problem.message.removeprefix(PREFIX) for problem in problems]


@pytest.mark.parametrize(
    ("variables", "doubt"),
    [
        pytest.param(
            {"TIMEOUT": "30"}, "TIMEOUT=30 is in milliseconds; did you mean seconds? Then set 30000", id="time"
        ),
        pytest.param({"INTERVAL": "5"}, "INTERVAL=5 is in milliseconds; did you mean seconds?", id="interval"),
        pytest.param({"INTERVAL": "60"}, "INTERVAL=60 is in milliseconds; did you mean seconds?", id="a minute"),
        pytest.param({"SHUTDOWN_TIMEOUT": "5"}, "SHUTDOWN_TIMEOUT=5 is in milliseconds; did you mean", id="shutdown"),
        pytest.param({"MAX_BUFFERED_AGE": "60"}, "MAX_BUFFERED_AGE=60 is in milliseconds; did you mean", id="age"),
        pytest.param(
            {"MIN_BACKOFF": "1", "MAX_BACKOFF": "30"}, "MAX_BACKOFF=30 is in milliseconds; did you", id="backoff"
        ),
        pytest.param({"BEARER_TOKEN": "token abc"}, "BEARER_TOKEN holds white space, which", id="two words"),
        pytest.param(
            {"INTERVAL": "300000"}, "INTERVAL=300000 is above 240000 (4 minutes): PromQL looks", id="too long"
        ),
        pytest.param(
            {"MIN_BACKOFF": "6000"},
            "MIN_BACKOFF=6000 is above OTEL_EXPORTER_PRW_MAX_BACKOFF (5000), so every retry waits that long",
            id="backoffs crossed",
        ),
        pytest.param(
            {"BEARER_TOKEN": "Bearer abc"},
            "BEARER_TOKEN begins with 'Bearer', which is added anyway; only the token is used",
            id="the scheme before a token",
        ),
        pytest.param(
            {**LOGIN, "PASSWORD": "a$(b)c"}, "PASSWORD looks like it still holds a reference", id="a reference"
        ),
        pytest.param({**LOGIN, "PASSWORD": "${X}"}, "PASSWORD looks like it still holds a reference", id="a shell's"),
        pytest.param({"ENDPOINT": "http://u:a$(b)@h/"}, "ENDPOINT looks like it still holds a ref", id="in a URL"),
        pytest.param({"PROXY": "http://u:a$(b)@h/"}, "PROXY looks like it still holds a reference", id="in a proxy's"),
        pytest.param(
            {
                "OAUTH2_TOKEN_URL": "https://h/",
                "OAUTH2_CLIENT_ID": "i",
                "OAUTH2_CLIENT_SECRET": "${X}",
            },
            "OAUTH2_CLIENT_SECRET looks like it still holds a reference",
            id="a client's",
        ),
        pytest.param({"HEADERS": "X-Key=$(KEY)"}, "HEADERS looks like it still holds a reference", id="in a header"),
        pytest.param(
            {**LOGIN, "PASSWORD": "'abc'"}, "PASSWORD is in quotes, which are part of it", id="a quoted secret"
        ),
        pytest.param({"BEARER_TOKEN": '"abc"'}, "BEARER_TOKEN is in quotes, which are part of it", id="a quoted token"),
        pytest.param({"DROP_METRICS": '"a.*"'}, "DROP_METRICS is in quotes, which are part of it", id="a quoted list"),
        pytest.param({"EXTERNAL_LABELS": 'a="b"'}, "EXTERNAL_LABELS holds a value in quotes", id="a quoted label"),
        pytest.param({"HEADERS": "X-Key='b'"}, "HEADERS holds a value in quotes", id="a quoted header"),
        pytest.param(
            {"NAMESPACE": "shop_"},
            "NAMESPACE='shop_' ends with an underscore, and one is added",
            id="two underscores",
        ),
    ],
)
def test_a_doubt_is_one_sentence(variables, doubt):
    (told,) = doubts(**variables)
    assert told.startswith(doubt)


@pytest.mark.parametrize(
    "variables",
    [
        {"TIMEOUT": "1000", "INTERVAL": "240000", "SHUTDOWN_TIMEOUT": "100", "MIN_BACKOFF": "5000"},
        {"INTERVAL": "100"},
        {"INTERVAL": "500"},
        {"INTERVAL": "3600000"},
        {**LOGIN, "PASSWORD": " pass word "},
        {**LOGIN, "PASSWORD": "it's $5 {a} $("},
        {"BEARER_TOKEN": "bearertoken"},
        {"NAMESPACE": "shop"},
        {"NAMESPACE": "shop_", "TRANSLATION_STRATEGY": "NoTranslation"},
    ],
)
def test_nothing_is_said_where_there_is_no_doubt(variables):
    assert doubts(**variables) == []


def test_a_keyword_is_called_by_its_own_name():
    _, problems = load({"endpoint": URL, "interval": 5, "shutdown_timeout": 5, "min_backoff": 9, "max_backoff": 8}, {})
    assert [problem.message.partition("=")[0] for problem in problems] == [
        "shutdown_timeout",
        "interval",
        "min_backoff",
    ]


@pytest.mark.parametrize("password", ["a$(b)c", "${X}", " pass word ", "'abc'", "%41"])
def test_a_legal_password_is_used_as_it_is(password):
    settings, _ = load({}, {f"{PREFIX}ENDPOINT": URL, f"{PREFIX}USERNAME": "u", f"{PREFIX}PASSWORD": password})
    assert settings.password.reveal() == password
    settings, _ = load({"endpoint": URL, "basic_auth": {"username": "u", "password": password}}, {})
    assert settings.password.reveal() == password


@pytest.mark.parametrize("token", ["Bearer abc", "bearer  abc", "Authorization: Bearer abc", " abc "])
def test_of_a_pasted_header_the_token_is_used(token):
    settings, _ = load({}, {f"{PREFIX}ENDPOINT": URL, f"{PREFIX}BEARER_TOKEN": token})
    assert settings.bearer_token.reveal() == "abc"


def test_a_doubt_shows_no_part_of_a_secret():
    told = doubts(**LOGIN, PASSWORD="x$(hunter2)y", HEADERS="X-Key=${hunter3}")
    assert len(told) == 2
    assert not any("hunter" in line for line in told)
