import ssl
from functools import partial
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import ProxyManager

from opentelemetry.exporter.prometheus_remote_write.errors import Rejected, Retryable, Unsendable
from opentelemetry.exporter.prometheus_remote_write.transport.authentication.basic import basic
from opentelemetry.exporter.prometheus_remote_write.transport.proxy import Proxy, bypassed, proxy_for
from tests.transport.scripted_server import answer, drip, in_turn, raw, tunnel

HTTP = urlsplit("http://receiver.example:9090/api/v1/write")
HTTPS = urlsplit("https://receiver.example/api/v1/write")


@pytest.mark.parametrize(
    ("endpoint", "proxies", "environ", "expected"),
    [
        pytest.param(HTTP, None, {}, None, id="none"),
        pytest.param(HTTP, None, {"http_proxy": "http://low"}, "http://low:80", id="lower case"),
        pytest.param(HTTP, None, {"HTTP_PROXY": "http://UP:1"}, "http://up:1", id="upper case"),
        pytest.param(HTTP, None, {"http_proxy": "low", "HTTP_PROXY": "up"}, "http://low:80", id="lower case wins"),
        pytest.param(HTTP, None, {"http_proxy": "", "HTTP_PROXY": "up"}, None, id="also where it is empty"),
        pytest.param(HTTP, None, {"HTTPS_PROXY": "http://up"}, None, id="that of another scheme"),
        pytest.param(HTTPS, None, {"HTTPS_PROXY": "http://up"}, "http://up:80", id="a proxy for https"),
        pytest.param(HTTPS, None, {"https_proxy": "https://up"}, "https://up:443", id="a proxy by https"),
        pytest.param(HTTP, None, {"HTTP_PROXY": "up", "REQUEST_METHOD": "GET"}, None, id="within CGI"),
        pytest.param(HTTP, None, {"http_proxy": "up", "REQUEST_METHOD": "GET"}, "http://up:80", id="CGI, lower case"),
        pytest.param(HTTPS, None, {"HTTPS_PROXY": "up", "REQUEST_METHOD": "GET"}, "http://up:80", id="CGI, https"),
        pytest.param(HTTP, None, {"ALL_PROXY": "http://up"}, None, id="ALL_PROXY is not read"),
        pytest.param(HTTP, None, {"http_proxy": "up", "NO_PROXY": "receiver.example"}, None, id="NO_PROXY"),
        pytest.param(HTTP, None, {"http_proxy": "up", "no_proxy": "receiver.example:9090"}, None, id="with the port"),
        pytest.param(HTTPS, None, {"https_proxy": "up", "no_proxy": "receiver.example:443"}, None, id="default port"),
        pytest.param(
            HTTP, None, {"http_proxy": "up", "no_proxy": "x", "NO_PROXY": "*"}, "http://up:80", id="no_proxy wins"
        ),
        pytest.param(HTTP, {"http": "http://mine:3128"}, {"http_proxy": "up"}, "http://mine:3128", id="a setting wins"),
        pytest.param(HTTP, {"http": "http://mine"}, {"no_proxy": "*"}, "http://mine:80", id="also over NO_PROXY"),
        pytest.param(HTTPS, {"http": "http://mine"}, {"https_proxy": "up"}, None, id="a setting for the other scheme"),
        pytest.param(HTTP, {}, {"http_proxy": "up"}, None, id="a setting of none"),
        pytest.param(HTTP, {"http": "http://[::1]:3128"}, {}, "http://[::1]:3128", id="an IPv6 address"),
    ],
)
def test_the_proxy_of_an_endpoint(endpoint, proxies, environ, expected):
    proxy = proxy_for(endpoint, proxies, environ)
    assert (proxy and proxy.url) == expected


def test_its_credentials_are_decoded_and_taken_off_the_url():
    proxy = proxy_for(HTTP, {"http": "http://us%65r:p%40ss@proxy:3128/"}, {})
    assert proxy == Proxy("http://proxy:3128", {"Proxy-Authorization": basic("user", "p@ss")})


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"http_proxy": "socks5://user:hunter2@proxy"}, "^http_proxy: proxies by socks5:// are not supported"),
        ({"HTTP_PROXY": "socks5h://user:hunter2@proxy"}, "^HTTP_PROXY: proxies by socks5h:// are not supported"),
        ({"HTTP_PROXY": "http://user:hunter2@"}, "^HTTP_PROXY is not a proxy's URL"),
        ({"HTTP_PROXY": "http://user:hunter2@host:many"}, "^HTTP_PROXY is not a proxy's URL"),
        ({"HTTP_PROXY": "http://user:hunter2@[::1"}, "^HTTP_PROXY is not a proxy's URL"),
        ({"HTTP_PROXY": "http://user:hunter2\ud800@host"}, "^HTTP_PROXY is not a proxy's URL"),
        ({"HTTP_PROXY": "http://user:hunter2@two hosts"}, "^HTTP_PROXY is not a proxy's URL"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_an_error_and_its_password_stays_unsaid(environ, words):
    with pytest.raises(Unsendable, match=words) as caught:
        proxy_for(HTTP, None, environ)
    assert "hunter2" not in str(caught.value)


@given(text=st.text() | st.from_regex(r"https?://.*", fullmatch=True), exceptions=st.text())
def test_whatever_the_variables_hold_there_is_a_proxy_or_none_or_our_error(text, exceptions):
    try:
        proxy = proxy_for(HTTP, None, {"http_proxy": text, "no_proxy": exceptions})
    except Unsendable as error:
        assert str(error).startswith("http_proxy")  # noqa: PT017 - it need not be raised
    else:
        assert proxy is None or ProxyManager(proxy.url).proxy.url == proxy.url


@pytest.mark.parametrize(
    ("exceptions", "direct", "proxied"),
    [
        ("", [], ["a.example:80"]),
        (" , ,", [], ["a.example:80", "10.0.0.1:80"]),
        ("*", ["a.example:80", "10.0.0.1:80", "[::1]:80"], []),
        ("x,*", ["a.example:80"], []),
        ("example", ["example:80", "a.example:80", "b.a.example:443"], ["anexample:80", "example.com:80"]),
        (".example", ["example:80", "a.example:80"], ["anexample:80"]),
        ("*.example", ["a.example:80", "b.a.example:80"], ["anexample:80"]),
        ("EXAMPLE", ["a.Example:80"], []),
        ("a.example.", ["a.example:80", "a.example.:80"], []),
        ("a.example, b.example c.example", ["a.example:80", "b.example:80", "c.example:80"], ["d.example:80"]),
        ("a.example:8080", ["a.example:8080", "b.a.example:8080"], ["a.example:80"]),
        ("localhost", ["localhost:9009"], ["127.0.0.1:9009"]),
        ("10.0.0.1", ["10.0.0.1:80"], ["10.0.0.10:80", "110.0.0.1:80"]),
        ("10.0.0.1:81", ["10.0.0.1:81"], ["10.0.0.1:80"]),
        ("0.0.1", [], ["10.0.0.1:80"]),
        ("10.0.0.0/8", ["10.1.2.3:80"], ["11.0.0.1:80", "10.example:80"]),
        ("10.1.2.3/8", ["10.9.9.9:80"], ["11.0.0.1:80"]),
        ("10.0.0.0/8:81", ["10.1.2.3:81"], ["10.1.2.3:80"]),
        ("10.0.0.0/99", [], ["10.0.0.1:80"]),
        ("::1", ["[::1]:80"], ["[::2]:80", "127.0.0.1:80"]),
        ("[::1]", ["[::1]:80"], ["[::2]:80"]),
        ("[::1]:81", ["[::1]:81"], ["[::1]:80"]),
        ("0:0:0:0:0:0:0:1", ["[::1]:80"], []),
        ("fd00::/8", ["[fd00::1]:80"], ["[fe00::1]:80"]),
        (".", [], ["a.example:80"]),
        (":80", [], ["a.example:80"]),
    ],
)
def test_no_proxy(exceptions, direct, proxied):
    def is_direct(address):
        parts = urlsplit(f"http://{address}")
        return bypassed(parts.hostname, parts.port, exceptions)

    assert [address for address in direct + proxied if is_direct(address)] == direct


@given(host=st.text(), port=st.integers(0, 65535), exceptions=st.text())
def test_no_proxy_is_never_an_error(host, port, exceptions):
    assert bypassed(host, port, exceptions) in {True, False}


def test_a_request_in_the_clear_is_forwarded_by_the_proxy(start_server, make_transport):
    proxy = start_server()
    transport = make_transport("http://receiver.example/w?x=y", environ={"http_proxy": proxy.url}, bearer_token="t")
    for _ in range(2):
        assert transport.post(b"body", {"Content-Type": "a/b"}, 60).status == 204
    request = proxy.requests[0]
    assert (request.method, request.target, request.body) == ("POST", "http://receiver.example/w?x=y", b"body")
    assert request.headers["host"] == "receiver.example"
    assert request.headers["authorization"] == "Bearer t"
    assert "proxy-authorization" not in request.headers
    assert proxy.connections == 1


def test_the_proxy_is_shown_its_credentials(start_server, make_transport):
    proxy = start_server()
    url = proxy.url.replace("//", "//us%65r:p%40ss@")
    make_transport("http://receiver.example/", proxies={"http": url}).post(b"x", {}, 60)
    assert proxy.requests[0].headers["proxy-authorization"] == basic("user", "p@ss")


@pytest.fixture
def start_tls_server(start_server, certificates):
    """start_tls_server(behaviour, certificates=): a server with TLS."""

    def start(*arguments, certificates=certificates):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.server.certificate, certificates.server.key)
        return start_server(*arguments, tls=context)

    return start


def test_a_request_by_tls_goes_through_a_tunnel_and_the_proxy_sees_nothing_of_it(
    start_server, start_tls_server, make_transport, certificates
):
    receiver, proxy = start_tls_server(), start_server(tunnel)
    url = proxy.url.replace("//", "//user:pass@")
    transport = make_transport(
        receiver.url, certificate=str(certificates.ca), environ={"HTTPS_PROXY": url}, bearer_token="t"
    )
    for _ in range(2):
        assert transport.post(b"body", {}, 60).status == 204
    (connect,) = proxy.requests
    assert (connect.method, connect.target) == ("CONNECT", f"127.0.0.1:{receiver.port}")
    assert connect.headers["proxy-authorization"] == basic("user", "pass")
    assert "authorization" not in connect.headers
    assert receiver.requests[0].headers["authorization"] == "Bearer t"
    assert "proxy-authorization" not in receiver.requests[0].headers


def test_a_proxy_itself_reached_by_tls(start_tls_server, make_transport, certificates):
    receiver, proxy = start_tls_server(), start_tls_server(tunnel)
    transport = make_transport(receiver.url, certificate=str(certificates.ca), proxies={"https": proxy.url})
    assert transport.post(b"body", {}, 60).status == 204
    assert (proxy.requests[0].method, receiver.requests[0].body) == ("CONNECT", b"body")


def test_the_systems_authorities_hold_for_a_proxy_beside_the_given_one_for_the_receiver(
    start_tls_server, make_transport, certificates, make_certificates, monkeypatch
):
    systems = make_certificates()
    monkeypatch.setenv("SSL_CERT_FILE", str(systems.ca))  # read by OpenSSL itself
    receiver, proxy = start_tls_server(), start_tls_server(tunnel, certificates=systems)
    transport = make_transport(receiver.url, certificate=str(certificates.ca), proxies={"https": proxy.url})
    assert transport.post(b"body", {}, 60).status == 204


def test_a_proxy_reached_by_tls_that_forwards(start_tls_server, make_transport, certificates):
    proxy = start_tls_server()
    transport = make_transport(
        "http://receiver.example/", certificate=str(certificates.ca), proxies={"http": proxy.url}
    )
    assert transport.post(b"body", {}, 60).status == 204
    assert proxy.requests[0].target == "http://receiver.example/"


def test_a_proxy_that_is_not_who_it_should_be_gets_nothing(start_tls_server, make_transport):
    proxy = start_tls_server()
    transport = make_transport("http://receiver.example/", proxies={"http": proxy.url.replace("//", "//u:hunter2@")})
    with pytest.raises(Unsendable, match=f"^the proxy {proxy.url} is not trusted"):
        transport.post(b"body", {}, 60)
    assert proxy.requests == []


def test_the_server_name_is_the_receivers_and_not_the_proxys(start_tls_server, make_transport, certificates):
    receiver, proxy = start_tls_server(), start_tls_server(tunnel)
    transport = make_transport(
        receiver.url, certificate=str(certificates.ca), proxies={"https": proxy.url}, tls_server_name="localhost"
    )
    assert transport.post(b"body", {}, 60).status == 204
    assert (proxy.server_names, receiver.server_names) == ([None], ["localhost"])


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_without_its_proxy_nothing_goes_to_the_receiver(start_server, make_transport, scheme):
    receiver = start_server()
    proxies = {"http": "http://user:hunter2@127.0.0.1:1", "https": "http://user:hunter2@127.0.0.1:1"}
    transport = make_transport(receiver.url.replace("http:", f"{scheme}:"), proxies=proxies)
    with pytest.raises(
        Retryable, match=r"^the proxy http://127\.0\.0\.1:1 could not be reached \(Connection refused\)$"
    ):
        transport.post(b"x", {}, 60)
    assert receiver.connections == 0


def hesitant_tunnel(exchange):
    """A proxy that says that it is at work before it says that there is a connection."""
    if exchange.request.method == "CONNECT":
        exchange.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX: y\r\n\r\n")
    return tunnel(exchange)


def test_a_proxy_may_give_interim_answers_before_its_tunnel_is_there(
    start_tls_server, start_server, make_transport, certificates
):
    receiver, proxy = start_tls_server(), start_server(hesitant_tunnel)
    transport = make_transport(receiver.url, proxies={"https": proxy.url}, certificate=str(certificates.ca))
    for _ in range(2):
        assert transport.post(b"x", {}, 60).status == 204
    assert (len(proxy.requests), receiver.connections) == (1, 1)


@pytest.mark.parametrize(
    "status", [b"201 Created", b"202 Accepted", b"204 No Content\r\nContent-Length: 0", b"299 Whatever"]
)
def test_any_2xx_is_a_tunnel(start_tls_server, start_server, make_transport, certificates, status):
    receiver = start_tls_server()
    proxy = start_server(partial(tunnel, answer=b"HTTP/1.1 " + status + b"\r\n\r\n"))
    transport = make_transport(receiver.url, proxies={"https": proxy.url}, certificate=str(certificates.ca))
    for _ in range(2):
        assert transport.post(b"x", {}, 60).status == 204
    assert (len(proxy.requests), receiver.connections) == (1, 1)


@pytest.mark.parametrize("status", [b"300 Choices", b"304 Not Modified"])
def test_nothing_but_2xx_is_a_tunnel(start_tls_server, start_server, make_transport, certificates, status):
    receiver = start_tls_server()
    proxy = start_server(partial(tunnel, answer=b"HTTP/1.1 " + status + b"\r\n\r\n"))
    transport = make_transport(receiver.url, proxies={"https": proxy.url}, certificate=str(certificates.ca))
    with pytest.raises((Rejected, Retryable), match="proxy"):
        transport.post(b"x", {}, 60)
    assert receiver.requests == []


@pytest.mark.parametrize("proxy_speaks_tls", [False, True], ids=["http proxy", "https proxy"])
def test_what_is_unread_within_a_tunnel_is_no_answer_to_the_next_request(
    start_tls_server, start_server, make_transport, certificates, proxy_speaks_tls
):
    again = b"HTTP/1.1 204 No Content\r\n\r\n"
    receiver = start_tls_server(in_turn(raw(2 * again, keep=True), answer(503, body=b"later")))
    proxy = start_tls_server(tunnel) if proxy_speaks_tls else start_server(tunnel)
    transport = make_transport(receiver.url, proxies={"https": proxy.url}, certificate=str(certificates.ca))
    assert transport.post(b"x", {}, 60).status == 204
    with pytest.raises(Retryable) as caught:
        transport.post(b"x", {}, 60)
    assert caught.value.status == 503


@pytest.mark.parametrize(("status", "error"), [(403, Rejected), (407, Rejected), (502, Retryable), (504, Retryable)])
def test_a_tunnel_that_is_refused(start_server, make_transport, status, error):
    proxy = start_server(answer(status, body=b"no"))
    transport = make_transport("https://receiver.example/", proxies={"https": proxy.url})
    with pytest.raises(error, match=f"^the proxy {proxy.url} answered {status} to CONNECT for https://receiver") as e:
        transport.post(b"x", {}, 60)
    assert e.value.status == status


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        pytest.param(drip(b"", b"H"), "did not answer within", id="drips"),
        # Python 3.14.8 and 3.15 read no more than a hundred of them, older ones read until the deadline.
        pytest.param(
            drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), "(did not answer within|not HTTP)", id="headers without end"
        ),
        pytest.param(raw(b""), "without an answer", id="closes"),
        pytest.param(raw(b"garbage\r\n"), "not HTTP", id="talks nonsense"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nVia: 1"), "in the middle of its answer", id="is cut off"),
    ],
)
def test_a_proxy_that_does_not_do_its_work(start_server, make_transport, behaviour, words):
    proxy = start_server(behaviour)
    transport = make_transport("https://receiver.example/", proxies={"https": proxy.url})
    with pytest.raises(Retryable, match=f"receiver.example/ through the proxy {proxy.url} .*{words}"):
        transport.post(b"x", {}, 3 if "did not answer within" in words else 60)


def test_a_proxy_that_cannot_be_used_is_not_gone_around(start_server, make_transport):
    receiver = start_server()
    with pytest.raises(Unsendable, match="http_proxy: proxies by socks5"):
        make_transport(receiver.url, environ={"http_proxy": "socks5://127.0.0.1:1"}).post(b"x", {}, 60)
    assert receiver.connections == 0
