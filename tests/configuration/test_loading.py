"""From keywords and environment variables to settings: which wins, and what is said of what is wrong."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.configuration.contradictions import authentication_method
from opentelemetry.exporter.prometheus_remote_write.configuration.loading import load
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import (
    PREFIX,
    Settings,
    rows,
    variable,
)
from opentelemetry.exporter.prometheus_remote_write.errors import InvalidSetting

URL = "http://host:9090/api/v1/write"
QUOTED_URL = f"'{URL}'"
SECRET = "hunter2"
LONGEST = 1000  # characters; 60 of a value are shown, each of up to 10 where it has to be escaped


def environment(**variables):
    """An environment with an endpoint and these variables, their names without the prefix."""
    return {PREFIX + name: text for name, text in {"ENDPOINT": URL, **variables}.items()}


def messages(environ):
    _, problems = load({}, environ)
    return [problem.message for problem in problems]


def test_endpoint_alone_is_enough():
    assert load({}, environment()) == (Settings(endpoint=URL), [])


def test_keyword_wins_over_variable_and_variable_over_default():
    settings, problems = load(
        {"namespace": "keyword", "timeout": None}, environment(NAMESPACE="variable", TIMEOUT="5000")
    )
    assert (settings.namespace, settings.timeout, settings.max_samples_per_send) == ("keyword", 5.0, 2000)
    assert problems == []


def test_keyword_wins_over_a_variable_that_is_wrong():
    settings, problems = load({"max_samples_per_send": 7}, environment(MAX_SAMPLES_PER_SEND="many"))
    assert (settings.max_samples_per_send, problems) == (7, [])


@pytest.mark.parametrize(
    ("keywords", "variables", "expected"),
    [
        pytest.param(
            {"basic_auth": {"username": "a", "password_file": "f"}},
            {"USERNAME": "b", "PASSWORD": SECRET},
            {"username": "a", "password": "", "password_file": "f"},
            id="basic_auth",
        ),
        pytest.param({"basic_auth": {}}, {"USERNAME": "b"}, {"username": ""}, id="an empty basic_auth"),
        pytest.param(
            {"tls_config": {"ca_file": "ca", "server_name": None}},
            {"CERTIFICATE": "x", "TLS_SERVER_NAME": "x", "INSECURE_SKIP_VERIFY": "true", "CLIENT_KEY": "x"},
            {"certificate": "ca", "tls_server_name": "", "insecure_skip_verify": False, "client_key": ""},
            id="tls_config",
        ),
        pytest.param(
            {"proxies": {"http": "http://a"}}, {"PROXY": "http://b"}, {"proxies": {"http": "http://a"}}, id="proxies"
        ),
        pytest.param({"headers": {"A": "1"}}, {"HEADERS": "B=2"}, {"headers": {"A": "1"}}, id="headers"),
    ],
)
def test_group_given_as_keyword_replaces_its_variables_as_a_whole(keywords, variables, expected):
    settings, problems = load(keywords, environment(**variables))
    assert {name: getattr(settings, name) for name in expected} == expected
    assert problems == []


def test_callers_mappings_are_neither_changed_nor_kept():
    keywords = {
        "endpoint": URL,
        "basic_auth": {"username": "a", "password": None},
        "headers": {"Content-Type": "text/plain", "A": "1"},
        "proxies": {"http": "http://a", "https": ""},
        "tls_config": {"ca_file": "ca"},
        "external_labels": {"a": "1", "b": ""},
        "resource_labels": ["a"],
        "histogram_boundaries": [1, 2],
    }
    keywords["basic_auth"]["password"] = SECRET
    before = copy.deepcopy(keywords)
    settings, _ = load(keywords, {})
    assert keywords == before
    keywords["headers"]["A"] = keywords["external_labels"]["a"] = keywords["proxies"]["http"] = "changed"
    assert (settings.headers, settings.external_labels) == ({"A": "1"}, {"a": "1"})
    assert settings.proxies == {"http": "http://a"}


@pytest.mark.parametrize(
    ("variables", "message", "fatal"),
    [
        pytest.param({"ENDPOINT": ""}, "ENDPOINT is not set: give it the receiver's write URL", True, id="no endpoint"),
        pytest.param(
            {"ENDPOINT": "localhost:9090/write"},
            "ENDPOINT='localhost:9090/write' must begin with http:// or https://; nothing is sent",
            True,
            id="an endpoint without a scheme",
        ),
        pytest.param(
            {"TIMEOUT": "30s"},
            "TIMEOUT='30s' must be a whole number of milliseconds; the default is used (30000)",
            False,
            id="timeout",
        ),
        pytest.param(
            {"INTERVAL": "10s"},
            "INTERVAL='10s' must be a whole number of milliseconds; the default is used (OTEL_METRIC_EXPORT_INTERVAL, ",
            False,
            id="an interval with a unit",
        ),
        pytest.param(
            {"EXTERNAL_LABELS": "__a=b"},
            "EXTERNAL_LABELS='__a=b' holds '__a', which is not a label name (letters, digits and underscores, not two "
            "in front); it is ignored",
            False,
            id="nothing to use instead",
        ),
        pytest.param(
            {"TIMEOUT": "30"},
            "TIMEOUT=30 is in milliseconds; did you mean seconds? Then set 30000",
            False,
            id="a timeout in seconds",
        ),
        pytest.param(
            {"BEARER_TOKEN": "${TOKEN}"},
            "BEARER_TOKEN still holds ${TOKEN}, which only a shell expands; Kubernetes writes $(TOKEN); nothing",
            True,
            id="a shell's reference",
        ),
        pytest.param(
            {"ENDPOINT": QUOTED_URL},
            f"ENDPOINT={chr(39) + URL + chr(39)!r} must begin with http:// or https://; the quotes around it are "
            "part of it: remove them; nothing",
            True,
            id="an endpoint in quotes",
        ),
        pytest.param(
            {"USERNAME": "user:hunter2", "PASSWORD": "x"},
            "USERNAME holds a colon, which basic authentication cannot send: set the password separately; nothing",
            True,
            id="a password behind the user name",
        ),
        pytest.param(
            {"TRANSLATION_STRATEGY": "none"},
            "TRANSLATION_STRATEGY='none' must be one of UnderscoreEscapingWithSuffixes,",
            False,
            id="an unknown word",
        ),
        pytest.param(
            {"INSECURE_SKIP_VERIFY": "1"},
            "INSECURE_SKIP_VERIFY='1' must be true or false; the default is used (false)",
            False,
            id="a switch that is neither on nor off",
        ),
        pytest.param(
            {"BEARER_TOKEN": "$(TOKEN)"},
            "BEARER_TOKEN still holds $(TOKEN), which Kubernetes expands only for variables defined before it;",
            True,
            id="a reference that Kubernetes has not expanded",
        ),
        pytest.param(
            {"HEADERS": "X-Scope-OrgID=5,User-Agent=me"},
            "HEADERS sets User-Agent, which the protocol sets; it is ignored",
            False,
            id="a header of the protocol",
        ),
        pytest.param(
            {"NAMESPACE": "my-shop"},
            "NAMESPACE='my-shop' is not a valid beginning of a Prometheus name",
            False,
            id="a namespace that is not legal",
        ),
        pytest.param(
            {"ENDPIONT": URL},
            "ENDPIONT is not a variable of this exporter; did you mean OTEL_EXPORTER_PRW_ENDPOINT?",
            False,
            id="a misspelled variable",
        ),
    ],
)
def test_problem_is_one_sentence_that_names_the_variable(variables, message, fatal):
    _, (problem,) = load({}, environment(**variables))
    assert problem.message.startswith(PREFIX + message)
    assert problem.fatal is fatal
    assert "\n" not in problem.message


def test_nothing_is_suggested_for_a_variable_that_resembles_no_other():
    (message,) = messages(environment(QQ="1"))
    assert message == "OTEL_EXPORTER_PRW_QQ is not a variable of this exporter"


def test_variables_of_others_are_their_business():
    assert messages(environment() | {"OTEL_EXPORTER_OTLP_ENDPOINT": "x", "PRW_ENDPOINT": "x"}) == []


def test_namespace_may_be_anything_where_names_are_not_escaped():
    assert messages(environment(NAMESPACE="my-shop", TRANSLATION_STRATEGY="NoTranslation")) == []


def test_headers_of_the_protocol_are_left_out():
    settings, _ = load({}, environment(HEADERS="X-Scope-OrgID=5,content-TYPE=text/plain"))
    assert settings.headers == {"X-Scope-OrgID": "5"}


def test_credentials_in_the_endpoint_become_settings_and_leave_it():
    settings, problems = load({}, environment(ENDPOINT="https://us%40er:p%3Ass@host:9090/write?a=b"))
    assert (settings.endpoint, settings.username, settings.password) == ("https://host:9090/write?a=b", "us@er", "p:ss")
    assert problems == []


CLIENT = {"oauth2_token_url": "https://idp/token", "oauth2_client_id": "c"}
CONTRADICTIONS = [
    pytest.param({"username": "u"}, "go together", id="a user name without a password"),
    pytest.param({"password": SECRET}, "go together", id="a password without a user name"),
    pytest.param({"password_file": "f"}, "go together", id="a file with a password without a user name"),
    pytest.param(
        {"username": "u", "password": SECRET, "password_file": "f"}, "are both set: keep one", id="two passwords"
    ),
    pytest.param({"bearer_token": SECRET, "bearer_token_file": "f"}, "are both set: keep one", id="two tokens"),
    pytest.param(
        {"username": "u", "password": SECRET, "bearer_token": SECRET},
        "(a user name and password, a bearer token): keep one",
        id="basic authentication and a token",
    ),
    pytest.param(
        {"username": "u", "password": SECRET, "headers": f"Authorization=Bearer {SECRET}"},
        "(a user name and password, a header Authorization): keep one",
        id="basic authentication and a header",
    ),
    pytest.param(
        {"endpoint": f"http://u:{SECRET}@host/", "bearer_token_file": "f"},
        "(its userinfo, a bearer token): keep one",
        id="credentials in the endpoint and a token",
    ),
    pytest.param(
        {"auth": "sigv4", "bearer_token": SECRET},
        "is sigv4, and another way is set, too (a bearer token): keep one",
        id="a way and the settings of another",
    ),
    pytest.param(
        {"auth": "none", "username": "u", "password": SECRET},
        "is none, and another way is set, too (a user name and password): keep one",
        id="none and a password",
    ),
    pytest.param(
        {"sigv4_region": "eu-west-1", "azure_scope": "x"}, "(SigV4, Azure): keep one", id="Amazon and Azure at once"
    ),
    pytest.param(
        {"auth": "basic"},
        "needs OTEL_EXPORTER_PRW_USERNAME and OTEL_EXPORTER_PRW_PASSWORD or",
        id="basic without a user name",
    ),
    pytest.param(
        {"auth": "bearer"},
        "needs OTEL_EXPORTER_PRW_BEARER_TOKEN or OTEL_EXPORTER_PRW_BEARER_TOKEN_FILE, too",
        id="bearer without a token",
    ),
    pytest.param(CLIENT, "needs OTEL_EXPORTER_PRW_OAUTH2_CLIENT_SECRET or", id="a client without its secret"),
    pytest.param(
        {**CLIENT, "oauth2_client_secret": SECRET, "oauth2_client_secret_file": "f"},
        "are both set: keep one",
        id="two secrets of a client",
    ),
    pytest.param(
        {"oauth2_token_url": "http://idp/t", "oauth2_client_id": "c", "oauth2_client_secret": SECRET},
        "must begin with https://",
        id="a client's secret in the clear",
    ),
    pytest.param(
        {"oauth2_token_url": f"https://u:{SECRET}@idp/t", "oauth2_client_id": "c", "oauth2_client_secret": "s"},
        "holds credentials",
        id="credentials in the URL of tokens",
    ),
    pytest.param({"sigv4_external_id": "i"}, "needs the role that asks for it", id="an external id without a role"),
    pytest.param({"client_key": "k"}, "needs the certificate that belongs to it", id="a key without its certificate"),
]


@pytest.mark.parametrize(("texts", "reason"), CONTRADICTIONS)
def test_contradiction_in_the_environment_stops_all_sending(texts, reason):
    _, (problem,) = load({}, {variable("endpoint"): URL, **{variable(name): text for name, text in texts.items()}})
    assert (reason in problem.message, problem.fatal) == (True, True)
    assert SECRET not in problem.message


@pytest.mark.parametrize(("texts", "reason"), CONTRADICTIONS)
def test_contradiction_among_keywords_is_raised(texts, reason):
    keywords = {"endpoint": URL}
    for name, text in texts.items():
        group, dot, key = rows()[name].keyword.partition(".")
        keywords |= {group: {**keywords.get(group, {}), key: text}} if dot else {group: text}
    with pytest.raises(InvalidSetting) as raised:
        load(keywords, {})
    assert reason in str(raised.value)
    assert SECRET not in str(raised.value)


def test_a_parameter_that_the_request_for_a_token_has_by_itself_stops_all_sending():
    texts = {**CLIENT, "oauth2_client_secret": "s", "oauth2_params": f"grant_type=password,client_secret={SECRET}"}
    _, (problem,) = load({}, {variable("endpoint"): URL, **{variable(name): text for name, text in texts.items()}})
    assert (problem.fatal, SECRET in problem.message) == (True, False)
    assert "holds client_secret, grant_type, which the token request sets itself" in problem.message


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_tokens_may_be_asked_for_in_the_clear_on_this_machine(host):
    variables = {"OAUTH2_TOKEN_URL": f"http://{host}:8/t", "OAUTH2_CLIENT_ID": "c", "OAUTH2_CLIENT_SECRET": SECRET}
    assert messages(environment(**variables)) == []


@pytest.mark.parametrize(
    ("variables", "way"),
    [
        ({}, "none"),
        ({"USERNAME": "u", "PASSWORD": "p"}, "basic"),
        ({"ENDPOINT": "http://u:p@host/"}, "basic"),
        ({"BEARER_TOKEN": "t"}, "bearer"),
        ({"SIGV4_REGION": "eu-west-1"}, "sigv4"),
        ({"AZURE_SCOPE": "x"}, "azure"),
        ({"OAUTH2_TOKEN_URL": "https://i/", "OAUTH2_CLIENT_ID": "c", "OAUTH2_CLIENT_SECRET": "s"}, "oauth2"),
        ({"HEADERS": "Authorization=x"}, "none"),
        ({"AUTH": "none", "HEADERS": "Authorization=x"}, "none"),
        ({"AUTH": "Sigv4"}, "sigv4"),
        ({"AUTH": "azure"}, "azure"),
        ({"AUTH": "basic", "USERNAME": "u", "PASSWORD": "p"}, "basic"),
    ],
)
def test_the_way_to_authenticate_is_that_which_is_set(variables, way):
    settings, problems = load({}, environment(**variables))
    assert (authentication_method(settings), problems) == (way, [])


def test_keyword_that_contradicts_a_variable_is_raised():
    with pytest.raises(InvalidSetting, match="several ways to authenticate"):
        load({"basic_auth": {"username": "u", "password": SECRET}}, environment(BEARER_TOKEN=SECRET))


def test_missing_endpoint_is_raised_where_there_are_keywords():
    with pytest.raises(InvalidSetting, match=r"^endpoint \(OTEL_EXPORTER_PRW_ENDPOINT\) is not set"):
        load({"namespace": "shop"}, {})


def test_contradiction_that_comes_of_a_wrong_variable_is_not_told_too():
    _, problems = load({}, environment(ENDPOINT="host", USERNAME="u", PASSWORD="a\nb"))
    assert [problem.message.partition(" ")[0] for problem in problems] == [
        "OTEL_EXPORTER_PRW_ENDPOINT='host'",
        "OTEL_EXPORTER_PRW_PASSWORD",
    ]


def test_wrong_endpoint_of_the_environment_is_a_problem_beside_keywords_too():
    _, (problem,) = load({"namespace": "shop"}, environment(ENDPOINT="host"))
    assert problem.fatal


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        pytest.param({"endpoint": 5}, TypeError, "endpoint must be a string, not int", id="a type"),
        pytest.param({"headers": "A"}, ValueError, "headers must be a comma list of name=value", id="text as it is"),
        pytest.param(
            {"headers": 5}, TypeError, "headers must be a mapping of strings to strings, not int", id="no map"
        ),
        pytest.param({"headers": {"A": 5}}, TypeError, "headers must hold strings only, not int", id="a map's value"),
        pytest.param({"headers": {"A": None}}, TypeError, "headers must hold strings only, not NoneType", id="None"),
        pytest.param({"drop_metrics": ["a", 5]}, TypeError, "drop_metrics must hold strings only, not int", id="list"),
        pytest.param({"drop_metrics": 5}, TypeError, "drop_metrics must be a list of strings, not int", id="no list"),
        pytest.param(
            {"histogram_boundaries": ["1"]},
            TypeError,
            "histogram_boundaries must hold numbers only, not str",
            id="text",
        ),
        pytest.param({"endpoint": "host"}, ValueError, "endpoint must begin with http:// or https://", id="a value"),
        pytest.param({"timeout": -1}, ValueError, "timeout must not be negative", id="a range"),
        pytest.param({"tls_config": "ca"}, TypeError, "tls_config must be a mapping, not str", id="a group"),
        pytest.param(
            {"tls_config": {"insecure_skip_verify": "no"}},
            TypeError,
            "tls_config.insecure_skip_verify must be True or False, not str",
            id="a key of a group",
        ),
        pytest.param(
            {"tls_config": {"cafile": "ca"}},
            TypeError,
            "unknown argument 'tls_config.cafile'; did you mean tls_config.ca_file?",
            id="an unknown key of a group",
        ),
        pytest.param(
            {"basic_auth": {1: "a"}}, TypeError, "unknown argument 'basic_auth.1'", id="a key that is no text"
        ),
        pytest.param(
            {"name_space": "a"}, TypeError, "unknown argument 'name_space'; did you mean namespace?", id="unknown"
        ),
        pytest.param(
            {"username": "a"}, TypeError, "unknown argument 'username'", id="a variable that has another keyword"
        ),
        pytest.param(
            {"external_labels": {"a": "\ud800"}}, ValueError, "external_labels is not valid UTF-8", id="a surrogate"
        ),
    ],
)
def test_wrong_keyword_is_raised_by_its_name(keywords, error, message):
    with pytest.raises(error) as raised:
        load({"endpoint": URL, **keywords}, {})
    assert str(raised.value).startswith(message)
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


def test_doubts_about_keywords_name_the_keyword():
    _, problems = load({"endpoint": URL, "namespace": "a-b", "headers": {"Host": "h"}, "timeout": 0.5}, {})
    assert [problem.message.split("=")[0].split(" ")[0] for problem in problems] == ["headers", "namespace"]


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param({"endpoint": f"ftp://user:{SECRET}@host/write"}, id="userinfo"),
        pytest.param({"endpoint": f"user:{SECRET}@host/write"}, id="userinfo without a scheme"),
        pytest.param({"endpoint": f"ftp://host/write?token={SECRET}"}, id="query"),
        pytest.param({"endpoint": f"ftp://host/write?token=a@{SECRET}"}, id="query with an at sign"),
        pytest.param({"endpoint": f"ftp://user:a#{SECRET}@host"}, id="userinfo with a hash"),
        pytest.param({"endpoint": f"ftp://user:a?{SECRET}@host"}, id="userinfo with a question mark"),
        pytest.param({"endpoint": f"http://user:{SECRET}@host:port"}, id="userinfo before a wrong port"),
        pytest.param({"endpoint": f"http://user:12/{SECRET}@host/write"}, id="a password with a slash"),
        pytest.param({"endpoint": f"http://user:a@{SECRET}#b@host/write"}, id="a password with a hash"),
        pytest.param({"endpoint": f"http://{SECRET}?a@host/write"}, id="a password with a question mark"),
        pytest.param({"proxies": f"http://user:12/{SECRET}@proxy"}, id="a proxy's password with a slash"),
        pytest.param({"endpoint": f"http://us%3Aer:{SECRET}@host/write"}, id="a user name with a colon"),
        pytest.param({"proxies": f"http://us%3Aer:{SECRET}@proxy"}, id="a proxy's user name with a colon"),
        pytest.param({"auth": f"Bearer {SECRET}"}, id="a whole header instead of the way"),
        pytest.param({"auth": f"user:{SECRET}"}, id="credentials instead of the way"),
        pytest.param({"auth": f"eyJhbGciOiJIUzI1NiJ9.{SECRET}"}, id="a token instead of the way"),
        pytest.param({"headers": SECRET}, id="a header without a name"),
        pytest.param({"headers": f"{SECRET} x=y"}, id="a header's name"),
        pytest.param({"headers": f"a=%ff{SECRET}"}, id="a header's value"),
        pytest.param({"password": f"{SECRET}\nx"}, id="a password of two lines"),
        pytest.param({"bearer_token": f"{SECRET}\x00"}, id="a token with a NUL"),
        pytest.param({"proxies": f"socks5://user:{SECRET}@proxy"}, id="a proxy's userinfo"),
        pytest.param({"proxies": f"http://user:{SECRET}@proxy:port"}, id="a proxy's userinfo before a wrong port"),
    ],
)
def test_no_secret_is_told(texts):
    assert SECRET not in repr(load({}, environment() | {variable(name): text for name, text in texts.items()})[0])
    _, problems = load({}, environment() | {variable(name): text for name, text in texts.items()})
    assert any(problem.fatal for problem in problems)
    assert SECRET not in repr(problems)
    group = {rows()[name].keyword: text for name, text in texts.items() if "." not in rows()[name].keyword}
    if group:
        with pytest.raises((TypeError, ValueError)) as raised:
            load({"endpoint": URL, **group}, {})
        assert SECRET not in str(raised.value)


@pytest.mark.parametrize("name", ["interval", "external_labels", "compression_level", "protocol", "namespace"])
def test_what_looks_like_a_secret_is_told_for_no_setting(name):
    token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
    variables = {PREFIX + name.upper(): token + "\x01"}
    assert token[4:12] not in repr(load({}, environment() | variables)[1])


def test_a_password_in_a_url_may_look_like_a_reference():
    settings, _ = load({}, environment(ENDPOINT=f"http://user:$({SECRET})@host/write"))
    assert settings.password == f"$({SECRET})"


@pytest.mark.parametrize("url", ["http://$(HOST)/write", "http://u:p@host:$(PORT)/", "http://host/${PATH}", "$(URL)"])
def test_a_url_that_still_holds_a_reference_is_wrong(url):
    _, (problem,) = load({}, environment(ENDPOINT=url))
    assert problem.fatal
    assert "still holds $" in problem.message


def test_the_word_bearer_alone_is_no_token():
    _, (problem,) = load({}, environment(BEARER_TOKEN="Bearer "))
    assert problem == (f"{PREFIX}BEARER_TOKEN is the word Bearer without a token; nothing is sent", True)


@given(
    st.dictionaries(
        st.sampled_from([variable(name) for name in rows()]),
        st.one_of(
            st.text(st.characters(exclude_categories=())), st.sampled_from(["0", "-1", "true", URL, "a=b", "nan"])
        ),
    )
)
def test_nothing_in_the_environment_is_raised(environ):
    settings, problems = load({}, environ)
    assert isinstance(settings, Settings)
    for problem in problems:
        assert problem.message.startswith(PREFIX)
        assert len(problem.message.splitlines()) == 1
        assert len(problem.message) < LONGEST
