"""Client credentials, with a real provider: issued, renewed, refused, and reached as the receiver is."""

from __future__ import annotations

import logging
import time

import pytest

from opentelemetry.exporter.prometheus_remote_write.errors import Rejected, Retryable, Unsendable
from opentelemetry.exporter.prometheus_remote_write.messages.secret import Secret
from tests.transport.authentication.provider import CLIENT, SECRET, Provider, serving
from tests.transport.pki import Pki
from tests.transport.scripted_server import answer, silent, tunnel
from tests.transport.volume import Volume


@pytest.fixture
def provide(server_stack):
    """provide(provider, ssl_context): the URL of a provider."""
    return lambda *arguments: server_stack.enter_context(serving(*arguments))


@pytest.fixture
def connect(start_server, make_transport):
    """connect(provider, url): a receiver that takes what was issued, and a transport to it."""

    def start(provider, url, **settings):
        def behave(exchange):
            is_right = provider.accepts(exchange.request.headers.get("authorization", ""))
            return answer(200 if is_right else 401)(exchange)

        server = start_server(behave)
        given = {"oauth2_client_id": CLIENT, "oauth2_client_secret": SECRET, "oauth2_token_url": url, **settings}
        return server, make_transport(server.url, **given)

    return start


def post(transport, timeout=60):
    return transport.post(b"x", {}, timeout).status


def not_the_providers(caplog):
    """What was logged by others than the provider, which runs in this process."""
    return [
        record for record in caplog.records if record.name.partition(".")[0] not in {"authlib", "werkzeug", "tests"}
    ]


def test_one_token_serves_request_after_request(provide, connect):
    provider = Provider()
    _, transport = connect(provider, provide(provider), oauth2_scopes=("other",), oauth2_params={"audience": "m"})
    assert [post(transport) for _ in range(3)] == [200] * 3
    assert provider.asked == [{"grant_type": "client_credentials", "scope": "other", "audience": "m"}]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_parameters_may_have_any_name_and_value(provide, connect, method):
    provider = Provider(methods=(method,))
    params = {"resource": "https://m/?a=b&c=d e+f", "body": "ü", "include_client_id": "no", "scope": "other"}
    _, transport = connect(provider, provide(provider), oauth2_params=params)
    assert post(transport) == 200
    asked = provider.asked[-1]
    assert {name: asked[name] for name in params} == params


def test_a_client_authenticates_in_the_body_where_basic_is_refused(provide, connect):
    provider = Provider(methods=("client_secret_post",))
    _, transport = connect(provider, provide(provider))
    assert post(transport) == 200
    transport._authentication._token._kept = None  # the next one is asked for in the same way at once
    assert post(transport) == 200
    assert [asked.get("client_secret") for asked in provider.asked] == [None, SECRET, SECRET]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, b'{"error": "invalid_client"}'),
        (400, b'{"error": "unauthorized_client"}'),
        (400, b'{"error": "invalid_request", "error_description": "client_id is missing"}'),
        (401, b"<html>Unauthorized</html>"),
        (401, b""),
    ],
)
def test_however_basic_is_refused_the_client_authenticates_in_the_body(connect, start_server, status, said):
    def behave(exchange):
        if b"client_secret=" in exchange.request.body:
            return answer(200, {}, b'{"access_token": "issued", "token_type": "Bearer"}')(exchange)
        return answer(status, {"WWW-Authenticate": "Basic"}, said)(exchange)

    server, transport = connect(Provider(), start_server(behave).url)
    with pytest.raises(Rejected, match="401"):  # of the receiver, which knows no such token
        post(transport)
    assert server.requests[0].headers["authorization"] == "Bearer issued"


@pytest.mark.parametrize(
    ("status", "said", "times"),
    [(401, b"", 2), (400, b'{"error": "invalid_request"}', 2), (400, b'{"error": "invalid_scope"}', 1), (403, b"", 1)],
)
def test_client_that_is_refused_in_both_ways_is_not_asked_for_more(connect, start_server, status, said, times):
    asked = start_server(answer(status, {}, said))
    _, transport = connect(Provider(), asked.url)
    for _ in range(2):
        with pytest.raises(Unsendable, match=f"issued no token: it answered {status}"):
            post(transport)
    assert len(asked.requests) == 2 * times
    assert "authorization" in asked.requests[0].headers
    assert "authorization" in asked.requests[times].headers  # basic comes first again


def test_the_secret_may_stand_in_a_file_that_changes(provide, connect, tmp_path):
    volume = Volume(tmp_path / "client", {"secret": SECRET.encode() + b"\n"})
    provider = Provider()
    _, transport = connect(
        provider, provide(provider), oauth2_client_secret="", oauth2_client_secret_file=str(volume["secret"])
    )
    assert post(transport) == 200
    provider.secret = "another"
    volume["secret"].unlink()
    volume["secret"].write_text("another")
    provider.issued.clear()
    assert post(transport) == 200


def test_a_token_that_ends_is_renewed_without_losing_a_request(provide, connect):
    provider = Provider(life=2)
    _, transport = connect(provider, provide(provider))
    while len(provider.issued) < 3:
        assert post(transport) == 200
    assert len(provider.asked) == 3


def test_a_token_that_is_refused_is_renewed_once(provide, connect):
    provider = Provider()
    server, transport = connect(provider, provide(provider))
    post(transport)
    provider.issued.clear()  # revoked
    assert post(transport) == 200
    assert len(provider.asked) == 2
    server.behaviour = answer(401)
    with pytest.raises(Rejected):
        post(transport)
    assert len(provider.asked) == 3


def test_a_failed_renewal_keeps_a_token_that_is_valid_and_says_so_once(provide, connect, caplog):
    provider = Provider()
    _, transport = connect(provider, provide(provider))
    post(transport)
    provider.status = 503
    token = transport._authentication._token
    for _ in range(2):
        token._renew_at = 0.0  # shortly before its end
        assert post(transport) == 200
    (record,) = not_the_providers(caplog)
    assert "issued no token: it answered 503: try later; keeping what is valid for another 3" in record.message


def test_a_wrong_secret_names_the_variables(provide, connect):
    provider = Provider()
    _, transport = connect(provider, url := provide(provider), oauth2_client_secret="wrong")
    with pytest.raises(Unsendable) as raised:
        post(transport)
    assert str(raised.value).startswith(f"{url} issued no token: it answered 4")
    assert "invalid_client" in str(raised.value)
    assert "OTEL_EXPORTER_PRW_OAUTH2_CLIENT_ID and OTEL_EXPORTER_PRW_OAUTH2_CLIENT_SECRET" in str(raised.value)


def test_a_wrong_scope_names_the_variable(provide, connect):
    provider = Provider()
    _, transport = connect(provider, provide(provider), oauth2_scopes=("admin",))
    with pytest.raises(Unsendable, match=r"invalid_scope.*OTEL_EXPORTER_PRW_OAUTH2_SCOPES"):
        post(transport)


def test_a_redirect_is_not_followed(provide, connect):
    provider = Provider()
    provider.redirects_to = "http://127.0.0.1:1/"
    _, transport = connect(provider, provide(provider))
    with pytest.raises(Unsendable, match="redirects are not followed"):
        post(transport)


def test_the_receivers_own_authority_and_certificate_are_used(provide, connect, tmp_path):
    pki, provider = Pki(), Provider()
    for name, content in {**pki.files("shop"), "ca.crt": pki.ca}.items():
        (tmp_path / name).write_bytes(content)
    url = provide(provider, pki.server())  # which demands a certificate
    files = {"client_certificate": str(tmp_path / "tls.crt"), "client_key": str(tmp_path / "tls.key")}
    _, transport = connect(provider, url, certificate=str(tmp_path / "ca.crt"), tls_server_name="mimir", **files)
    assert post(transport) == 200
    _, transport = connect(provider, url)
    with pytest.raises(Unsendable, match="is not trusted"):
        post(transport)


def test_the_receivers_proxy_is_used(provide, connect, tmp_path, start_server):
    pki, provider = Pki(), Provider()
    (tmp_path / "ca.crt").write_bytes(pki.ca)
    for name, content in pki.files("shop").items():
        (tmp_path / name).write_bytes(content)
    proxy = start_server(tunnel)
    files = {"client_certificate": str(tmp_path / "tls.crt"), "client_key": str(tmp_path / "tls.key")}
    _, transport = connect(
        provider,
        provide(provider, pki.server()),
        certificate=str(tmp_path / "ca.crt"),
        proxies={"https": proxy.url},
        **files,
    )
    assert post(transport) == 200
    assert [request.method for request in proxy.requests] == ["CONNECT"]


def test_an_endpoint_that_hangs_costs_what_is_left_of_the_deadline(connect, start_server):
    _, transport = connect(Provider(), start_server(silent).url)
    began = time.monotonic()
    with pytest.raises(Retryable, match=r"did not come within (1|0\.\d+) s$"):
        post(transport, 1)
    assert time.monotonic() - began < 9  # what is asked gives up after ten


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"access_token": 5}',
        b'{"access_token": "a\\nb", "token_type": "bearer"}',
        b"\xff",
    ],
)
def test_whatever_is_answered_it_is_a_failure_that_says_so(connect, start_server, said):
    url = start_server(answer(200, {"Content-Type": "application/json"}, said)).url
    _, transport = connect(Provider(), url)
    with pytest.raises(Unsendable, match="issued no token: it answered 200"):
        post(transport)


def test_a_token_of_another_type_is_not_used(connect, start_server):
    said = b'{"access_token": "a", "token_type": "DPoP"}'
    _, transport = connect(Provider(), start_server(answer(200, {}, said)).url)
    with pytest.raises(Unsendable, match="not of type Bearer"):
        post(transport)


def test_parameters_and_the_query_are_secrets_too(connect, start_server):
    def repeat(exchange):
        return answer(400, {}, exchange.request.body + exchange.request.target.encode())(exchange)

    parameters = {"assertion": "par4meter-secret", "api_key": "s3cr3t"}
    _, transport = connect(Provider(), start_server(repeat).url + "?key=qu3ry", oauth2_params=parameters)
    with pytest.raises(Unsendable) as refused:
        post(transport)
    assert not [secret for secret in ("par4meter", "s3cr3t", "qu3ry") if secret in str(refused.value)]


def test_no_secret_is_in_any_log_or_error(provide, connect, caplog, start_server):
    provider = Provider()

    def repeat(exchange):
        said = exchange.request.body + b" " + exchange.request.headers.get("authorization", "").encode()
        return answer(400, {}, said)(exchange)

    with caplog.at_level(logging.DEBUG):
        server, transport = connect(provider, provide(provider))
        post(transport)
        server.behaviour = repeat
        with pytest.raises(Rejected) as refused:
            post(transport)
        _, transport = connect(provider, start_server(repeat).url)
        with pytest.raises(Unsendable) as not_issued:
            post(transport)
    told = [record.getMessage() for record in not_the_providers(caplog)]
    told = f"{told} {refused.value} {vars(refused.value)} {not_issued.value} {vars(not_issued.value)}"
    assert SECRET not in told
    assert "0123456789" not in told
    assert "xxxxx" not in told
    assert repr(Secret(SECRET)) == "Secret(***)"
