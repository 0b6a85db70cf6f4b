"""Secrets in objects that tools for debugging look at: repr, rich, tracebacks with local variables."""

import io
import traceback

import pytest
from rich.console import Console
from rich.pretty import pretty_repr
from rich.traceback import Traceback

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.configuration.loading import load
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import PREFIX, variable
from opentelemetry.exporter.prometheus_remote_write.errors import SendError
from opentelemetry.exporter.prometheus_remote_write.messages.secret import Secret, SecretMapping
from opentelemetry.exporter.prometheus_remote_write.transport.pool import Transport
from tests.transport.scripted_server import ScriptedServer, answer, raw

SECRET = "hunter2-0123456789"
URL = "http://host/write"


def shown_with_locals(error):
    """All that two tools print of an error with the local variables of each frame."""
    output = io.StringIO()
    rich = Traceback.from_exception(
        type(error), error, error.__traceback__, show_locals=True, locals_max_length=None, locals_max_string=None
    )
    Console(file=output, width=500).print(rich)
    plain = traceback.TracebackException.from_exception(error, capture_locals=True)
    # The frames of the test itself hold the secret that it gives, and are the first.
    mine = {__file__}
    frames = [frame for frame in plain.stack if frame.filename not in mine]
    return [text for frame in frames for text in (frame.locals or {}).values()], output.getvalue()


def test_a_secret_is_shown_by_nothing_but_itself():
    secret = Secret(SECRET)
    assert SECRET not in f"{secret} {secret!r} {pretty_repr(secret)} {pretty_repr([secret])}"
    assert (secret.reveal(), bool(secret), bool(Secret(""))) == (SECRET, True, False)
    assert secret == SECRET
    assert secret == Secret(SECRET)
    assert secret != Secret("other")
    assert len({secret, Secret(SECRET)}) == 1


def test_a_mapping_of_secrets_shows_their_names():
    mapping = SecretMapping({"X-Key": SECRET})
    assert repr(mapping) == pretty_repr(mapping) == "{'X-Key': ***}"
    assert mapping == {"X-Key": SECRET}
    assert dict(mapping) == mapping.copy() == {"X-Key": SECRET}  # http.client copies headers for a proxy


@pytest.mark.parametrize(
    "texts",
    [
        {"ENDPOINT": f"http://{SECRET}@host/write"},
        {"ENDPOINT": f"http://{SECRET}:x-oauth-basic@host/write"},
        {"ENDPOINT": f"http://user:{SECRET}@host/write"},
        {"USERNAME": "user", "PASSWORD": SECRET},
        {"BEARER_TOKEN": SECRET},
        {"BEARER_TOKEN_FILE": SECRET},
        {"CLIENT_CERTIFICATE": SECRET, "CLIENT_KEY": SECRET},
        {"CERTIFICATE": SECRET},
        {"HEADERS": f"X-Key={SECRET}"},
        {"PROXY": f"http://user:{SECRET}@proxy"},
    ],
)
def test_settings_show_no_secret(texts):
    environ = {variable("endpoint"): URL, **{f"{PREFIX}{name}": text for name, text in texts.items()}}
    settings, problems = load({}, environ)
    assert SECRET not in f"{settings} {pretty_repr(settings)} {pretty_repr(problems)}"


GIVEN = {
    "endpoint": f"http://u:{SECRET}@host/write?key={SECRET}",
    "headers": {"X-Key": SECRET},
    "proxies": {"http": f"http://u:{SECRET}@proxy"},
    "tls_config": {"key_file": SECRET, "cert_file": SECRET},
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": -1},
        {"name_space": "x"},
        {"interval": "x"},
        {"headers": {"X-Key": f"{SECRET}\n"}},
        {"basic_auth": {"username": "u", "password": f"{SECRET}\x00"}},
        {"basic_auth": {"username": f"u:{SECRET}"}},
        {"bearer_token": f"{SECRET}\n"},
        {"bearer_token": SECRET},
        {"proxies": {"http": f"socks5://u:{SECRET}@proxy"}},
        {"resources_as_labels": "yes"},
    ],
    ids=str,
)
def test_a_wrong_argument_shows_no_secret_in_a_traceback_with_local_variables(wrong, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_PRW_BEARER_TOKEN", SECRET)
    with pytest.raises((TypeError, ValueError)) as raised:
        PrometheusRemoteWriteMetricsExporter(**{**GIVEN, **wrong})
    variables, _ = shown_with_locals(raised.value)
    assert not [text for text in variables if SECRET in text]
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("behaviour", [answer(401, body=SECRET.encode()), raw(b""), raw(b"x y")])
def test_a_failed_request_shows_no_secret_in_a_traceback_with_local_variables(behaviour, server_stack):
    server = server_stack.enter_context(ScriptedServer(behaviour))
    transport = _transport(server.url)
    with pytest.raises(SendError) as raised:
        transport.post(b"x", {}, 60)
    transport.close()
    variables, _ = shown_with_locals(raised.value)
    assert not [text for text in variables if SECRET in text]


def test_a_failed_token_shows_no_secret_in_a_traceback_with_local_variables(server_stack):
    server = server_stack.enter_context(ScriptedServer(answer(400, body=b'{"error": "invalid_client"}')))
    keywords = {"oauth2_token_url": server.url, "oauth2_client_id": "c", "oauth2_client_secret": SECRET}
    settings, _ = load({"endpoint": URL, **keywords}, {})
    transport = Transport(settings, environ={}, user_agent="tests/1")
    with pytest.raises(SendError) as raised:
        transport.post(b"x", {}, 60)
    transport.close()
    assert raised.value.__context__ is None
    variables, _ = shown_with_locals(raised.value)
    assert not [text for text in variables if SECRET in text]
    assert not [frame for frame in traceback.extract_tb(raised.value.__traceback__) if "oauth2" in frame.filename]


def _transport(url):
    settings, _ = load({"endpoint": f"{url}/?key={SECRET}", "bearer_token": SECRET, "headers": {"X-Key": SECRET}}, {})
    return Transport(settings, environ={}, user_agent="tests/1")


class Interruption(BaseException):
    """What a signal handler of the application raises."""


def test_an_interrupted_request_keeps_the_frames_of_the_application_alone():
    transport = _transport("http://127.0.0.1:1")

    def interrupt():
        raise Interruption

    def lookup(*_arguments, **_keywords):
        interrupt()

    transport._connections.current().exchange = lookup
    with pytest.raises(Interruption) as raised:
        transport.post(b"x", {}, 60)
    variables, _ = shown_with_locals(raised.value)
    assert not [text for text in variables if SECRET in text]
    assert traceback.extract_tb(raised.value.__traceback__)[-1].name == "interrupt"
