"""No secret in any message: every kind of failure, secrets in every place, a server that repeats what it was told."""

import base64
import logging
import traceback
from urllib.parse import quote

import pytest

from opentelemetry.exporter.prometheus_remote_write.errors import SendError
from tests.transport.scripted_server import answer, in_turn, raw, silent, tunnel

PASSWORD = "pa:ss wörd@/hunter2"
TOKEN = "tok3n-0123456789"
API_KEY = "k3y-abcdefgh"
QUERY = "qu3ry-ijklmnop"
PROXY_PASSWORD = "pr0xy-pa@ss"
SECRETS = {
    PASSWORD,
    quote(PASSWORD, safe=""),
    base64.b64encode(f"user:{PASSWORD}".encode()).decode(),
    TOKEN,
    API_KEY,
    QUERY,
    PROXY_PASSWORD,
    quote(PROXY_PASSWORD, safe=""),
    base64.b64encode(f"user:{PROXY_PASSWORD}".encode()).decode(),
}


def repeat(status):
    """An answer that shows what it was asked, as pages for debugging do: raw and decoded, and as the new place."""

    def act(exchange):
        request = exchange.request
        shown = [request.target, *request.headers.values()]
        for value in request.headers.values():
            scheme, _, credentials = value.partition(" ")
            if scheme == "Basic":
                shown.append(base64.b64decode(credentials).decode("utf-8").encode().decode("latin-1"))
        text = " ".join(shown).encode("latin-1")
        place = f"http://elsewhere/{request.headers.get('x-api-key')}?{request.target}"
        headers = {"Location": place, "Retry-After": request.target, "X-Echo": text.decode("latin-1")}
        return answer(status, headers, text)(exchange)

    return act


AUTHENTICATION = {
    "password": {"username": "user", "password": PASSWORD},
    "password file": {"username": "user", "password_file": "password"},
    "token": {"bearer_token": TOKEN},
    "token file": {"bearer_token_file": "token"},
    "header": {"headers": {"Authorization": f"Custom {TOKEN}", "X-Api-Key": API_KEY}},
    "userinfo": {},
}
FAILURES = {
    **{f"answer {status}": repeat(status) for status in (302, 400, 401, 403, 404, 407, 413, 429, 500, 503)},
    "no answer": raw(b""),
    "garbage": raw(f"{TOKEN} {PASSWORD}\r\n\r\n".encode()),
    "strange status line": raw(f"HTTP/1.1 {TOKEN} {API_KEY}\r\n\r\n".encode()),
    "silence": silent,
    "dying connection": in_turn(answer(), raw(b"")),
}


@pytest.fixture
def settings(request, tmp_path):
    """The settings of one way to authenticate, with secrets everywhere else too."""
    (tmp_path / "password").write_text(PASSWORD + "\n")
    (tmp_path / "token").write_text(TOKEN + "\n")
    given = {
        name: str(tmp_path / value) if name.endswith("_file") else value
        for name, value in AUTHENTICATION[request.param].items()
    }
    return {"headers": {"X-Api-Key": API_KEY}, **given}


def secret_url(url):
    return url.replace("//", f"//user:{quote(PASSWORD, safe='')}@") + f"/api/v1/write?key={QUERY}"


def proxy_url(url):
    return url.replace("//", f"//user:{quote(PROXY_PASSWORD, safe='')}@")


def patience(failure):
    """Seconds: only silence has to be waited for, and on a busy machine the request must arrive before that."""
    return 1.0 if failure == "silence" else 10.0


@pytest.fixture
def failing_post(caplog):
    """failing_post(transport): posts until it fails, and looks for secrets in the error and in all logs."""

    def post(transport, timeout=60):
        with caplog.at_level(logging.DEBUG):
            error = next(error for error in (_outcome(transport, timeout) for _ in range(3)) if error)
        told = [str(error), repr(error), *map(repr, error.args), *map(repr, vars(error).values())]
        told += traceback.format_exception(error)
        told += caplog.messages
        for secret in SECRETS:
            for text in told:
                assert secret not in text
                assert repr(secret.encode())[2:-1] not in text
                assert secret.encode().decode("latin-1") not in text

    return post


def _outcome(transport, timeout):
    try:
        transport.post(b"x", {}, timeout)
    except SendError as error:
        return error
    return None


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("settings", AUTHENTICATION, indirect=True)
def test_a_failure_tells_no_secret(start_server, make_transport, failing_post, settings, failure):
    server = start_server(FAILURES[failure])
    failing_post(make_transport(secret_url(server.url), **settings), patience(failure))
    assert server.requests[0].headers["x-api-key"] == API_KEY


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_through_a_proxy_tells_no_secret(start_server, make_transport, failing_post, failure):
    server = start_server(FAILURES[failure])
    transport = make_transport(secret_url("http://receiver.example"), proxies={"http": proxy_url(server.url)})
    failing_post(transport, patience(failure))
    assert "proxy-authorization" in server.requests[0].headers


@pytest.mark.parametrize("settings", AUTHENTICATION, indirect=True)
@pytest.mark.parametrize(
    ("endpoint", "proxy"),
    [
        pytest.param("http://127.0.0.1:1", None, id="refused"),
        pytest.param("http://no-such-host.invalid", None, id="unknown host"),
        pytest.param("http://" + "a" * 64, None, id="impossible host"),
        pytest.param("https://127.0.0.1:1", "http://user:PASSWORD@127.0.0.1:1", id="refused proxy"),
        pytest.param("https://127.0.0.1:1", "https://user:PASSWORD@no-such-host.invalid", id="unknown proxy"),
        pytest.param("https://127.0.0.1:1", "socks5://user:PASSWORD@host", id="wrong kind of proxy"),
        pytest.param("https://127.0.0.1:1", "http://user:PASSWORD@host:port", id="malformed proxy"),
        pytest.param("nonsense://host", None, id="wrong kind of endpoint"),
    ],
)
def test_no_connection_tells_no_secret(make_transport, failing_post, settings, endpoint, proxy):
    environ = {}
    if proxy:
        environ = {"https_proxy": proxy.replace("PASSWORD", quote(PROXY_PASSWORD, safe=""))}
    failing_post(make_transport(secret_url(endpoint), environ=environ, **settings))


@pytest.mark.parametrize("behaviour", [repeat(407), repeat(502), tunnel], ids=["407", "502", "no TLS behind it"])
def test_a_failed_tunnel_tells_no_secret(start_server, make_transport, failing_post, behaviour):
    receiver, server = start_server(raw(b"")), start_server(behaviour)
    endpoint = secret_url(receiver.url.replace("http:", "https:"))
    failing_post(make_transport(endpoint, proxies={"https": proxy_url(server.url)}), 3)
    assert server.requests[0].method == "CONNECT"


@pytest.mark.parametrize("settings", AUTHENTICATION, indirect=True)
def test_an_impossible_header_tells_no_secret(start_server, make_transport, failing_post, settings):
    settings["headers"] = {**settings["headers"], "X-Evil": f"{API_KEY}\r\nX: y"}
    server = start_server()
    failing_post(make_transport(secret_url(server.url), **settings))
    assert server.requests == []
