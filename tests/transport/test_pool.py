import gzip
import os
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.configuration.endpoint_settings import RESERVED_HEADERS
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.errors import (
    Cause,
    Rejected,
    Retryable,
    SendError,
    Unsendable,
)
from opentelemetry.exporter.prometheus_remote_write.transport.pool import Transport
from tests.thoroughness import scaled
from tests.transport.scripted_server import answer, drip, in_turn, raw

PROTOCOL = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}


def test_a_request_arrives_as_it_was_given(start_server, make_transport):
    server = start_server(answer(204, {"X-Prometheus-Remote-Write-Samples-Written": "7"}))
    response = make_transport(f"{server.url}/api/v1/write?db=x#fragment").post(b"\x00body\xff", PROTOCOL, 60)
    (request,) = server.requests
    assert (request.method, request.target, request.body) == ("POST", "/api/v1/write?db=x", b"\x00body\xff")
    assert request.headers.items() >= {name.lower(): value for name, value in PROTOCOL.items()}.items()
    assert request.headers["user-agent"] == "tests/1"
    assert request.headers["content-length"] == "6"
    assert response.status == 204
    assert response.headers["x-prometheus-remote-write-samples-WRITTEN"] == "7"


def test_a_large_body_arrives_whole(start_server, make_transport):
    server = start_server()
    body = os.urandom(1_000_003)
    make_transport(server.url).post(body, {}, 60)
    assert server.requests[0].body == body


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_every_2xx_is_accepted(start_server, make_transport, status):
    server = start_server(answer(status, body=b"" if status == 204 else b"fine"))
    assert make_transport(server.url).post(b"", {}, 60).status == status


def test_one_connection_serves_request_after_request(start_server, make_transport):
    accepted, empty = answer(200, body=b"stored"), answer(204)
    chunked = raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n", keep=True)
    server = start_server(in_turn(empty, accepted, chunked, empty))
    transport = make_transport(server.url)
    for _ in range(5):
        transport.post(b"x", PROTOCOL, 60)
    assert (len(server.requests), server.connections) == (5, 1)


def test_a_refusal_does_not_cost_the_connection(start_server, make_transport):
    server = start_server(in_turn(answer(400, body=b"out of order sample\n"), answer(503, body=b"later"), answer()))
    transport = make_transport(server.url)
    with pytest.raises(Rejected):
        transport.post(b"x", {}, 60)
    with pytest.raises(Retryable):
        transport.post(b"x", {}, 60)
    transport.post(b"x", {}, 60)
    assert (len(server.requests), server.connections) == (3, 1)


def test_requests_under_way_together_have_connections_of_their_own_which_are_kept(start_server, make_transport):
    together = threading.Barrier(3)

    def wait_for_the_others(exchange):
        together.wait(timeout=60)
        return answer()(exchange)

    server = start_server(wait_for_the_others)
    transport = make_transport(server.url)
    for _ in range(2):
        threads = [threading.Thread(target=transport.post, args=(b"x", {}, 10)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (len(server.requests), server.connections) == (6, 3)


def test_a_connection_that_the_receiver_closed_meanwhile_is_replaced(start_server, make_transport):
    server = start_server(answer(204, keep=False))
    transport = make_transport(server.url)
    for _ in range(3):
        transport.post(b"x", {}, 60)
    assert (len(server.requests), server.connections) == (3, 3)


def test_a_kept_connection_that_dies_under_the_request_is_replaced_at_once(start_server, make_transport):
    """The receiver reads the second request and closes without an answer: what a client sees that lost the race."""
    server = start_server(in_turn(answer(), raw(b""), answer()))
    transport = make_transport(server.url)
    transport.post(b"first", {}, 60)
    transport.post(b"second", {}, 60)
    assert [(request.connection, request.body) for request in server.requests] == [
        (1, b"first"),
        (1, b"second"),
        (2, b"second"),
    ]


def test_a_fresh_connection_that_dies_under_the_request_is_an_error(start_server, make_transport):
    server = start_server(raw(b""))
    with pytest.raises(Retryable, match="closed the connection without an answer"):
        make_transport(server.url).post(b"x", {}, 60)
    assert len(server.requests) == 1


def test_a_connection_that_was_opened_again_is_a_fresh_one(start_server, make_transport):
    server = start_server(in_turn(answer(keep=False), raw(b"")))
    transport = make_transport(server.url)
    transport.post(b"first", {}, 60)
    with pytest.raises(Retryable, match="closed the connection without an answer"):
        transport.post(b"second", {}, 60)
    assert [request.body for request in server.requests] == [b"first", b"second"]


def test_where_one_kept_connection_has_died_none_of_the_others_is_tried(start_server, make_transport):
    together = threading.Barrier(2)

    def wait_for_the_other(exchange):
        together.wait(timeout=60)
        return answer()(exchange)

    server = start_server(wait_for_the_other)
    transport = make_transport(server.url)
    threads = [threading.Thread(target=transport.post, args=(b"x", {}, 10)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.behaviour = lambda exchange: exchange.request.connection > 2 and answer()(exchange)
    assert transport.post(b"x", {}, 60).status == 204
    assert [request.connection for request in server.requests[2:]] in ([1, 3], [2, 3])


def test_a_request_is_repeated_only_once(start_server, make_transport):
    server = start_server(in_turn(answer(), raw(b"")))
    transport = make_transport(server.url)
    transport.post(b"x", {}, 60)
    with pytest.raises(Retryable):
        transport.post(b"x", {}, 60)
    assert len(server.requests) == 3


def test_of_a_large_refusal_only_the_beginning_is_read_and_the_connection_given_up(start_server, make_transport):
    server = start_server(in_turn(answer(500, body=b"0123456789abcdef" * 65536), answer()))
    transport = make_transport(server.url)
    with pytest.raises(Retryable) as caught:
        transport.post(b"x", {}, 60)
    assert str(caught.value) == f"{server.url} answered 500 Internal Server Error: {'0123456789abcdef' * 16}"
    transport.post(b"x", {}, 60)
    assert server.connections == 2


def test_a_rejection_that_is_cut_short_still_counts_as_one(start_server, make_transport):
    server = start_server(raw(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 500\r\n\r\nout of or"))
    with pytest.raises(Rejected, match=r"answered 400 Bad Request: out of or$"):
        make_transport(server.url).post(b"x", {}, 60)


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nstor"), id="cut short"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"), id="nothing of it"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense"), id="not chunks"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", b"."), id="without end"),
        *(
            pytest.param(raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\nx"), id=repr(size))
            for size in (b"-5", b"-1", b"0x", b"\xff", b"", b"f" * 300, b"99999999999999999999999")
        ),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"), id="not gzip"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"), id="no length"),
    ],
)
def test_what_is_accepted_stays_accepted_whatever_comes_of_the_body(start_server, make_transport, behaviour):
    server = start_server(in_turn(behaviour, answer()))
    transport = make_transport(server.url)
    assert transport.post(b"x", {}, 2).status == 200
    assert transport.post(b"x", {}, 60).status == 204


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(b"Content-Length: 0\r\nContent-Length: 20\r\n", id="two lengths"),
        pytest.param(b"Set-Cookie: a=b\r\n" * 150, id="many"),
        pytest.param(b"Set-Cookie: " + b"a" * 70_000 + b"\r\n", id="a long one"),
        pytest.param(b"\xff\xfe\x00: \x01\x02\r\nno colon\r\n : x\r\n", id="garbage"),
    ],
)
@pytest.mark.parametrize(("status", "error"), [(200, None), (503, Retryable), (400, Rejected)])
def test_the_status_counts_whatever_the_headers_are(start_server, make_transport, headers, status, error):
    head = b"HTTP/1.1 %d Whatever\r\n%s\r\n" % (status, headers)
    transport = make_transport(start_server(in_turn(raw(head, keep=True), answer())).url)
    if error:
        with pytest.raises(error) as caught:
            transport.post(b"x", {}, 3)
        assert caught.value.status == status
    else:
        assert transport.post(b"x", {}, 3).status == status
    assert transport.post(b"x", {}, 60).status == 204


@pytest.mark.parametrize("version", [b"HTTP/2", b"HTTP/3.0", b"HTTP/", b"HTTPS/1.1", b"ICY", b"http/1.1"])
def test_a_status_of_another_protocol_accepts_nothing(start_server, make_transport, version):
    server = start_server(raw(version + b" 200 OK\r\nContent-Length: 0\r\n\r\n"))
    with pytest.raises(Retryable) as caught:
        make_transport(server.url).post(b"x", {}, 60)
    assert caught.value.cause is Cause.NOT_HTTP


INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"


@pytest.mark.parametrize(
    "interim",
    [
        pytest.param(INTERIM, id="103"),
        pytest.param(b"HTTP/1.1 102 Processing\r\n\r\n", id="102"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n", id="100"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", id="101"),
        pytest.param(b"HTTP/1.1 199 Whatever\n\n", id="199"),
        pytest.param(b"HTTP/1.1 102 Processing\r\n\r\n" + INTERIM * 3, id="several"),
    ],
)
def test_interim_answers_are_skipped(start_server, make_transport, interim):
    """The final one was left unread, and taken for the answer to the next request."""
    server = start_server(
        in_turn(
            raw(interim + b"HTTP/1.1 204 No Content\r\n\r\n", keep=True),
            raw(interim + b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n", keep=True),
            answer(),
        )
    )
    transport = make_transport(server.url)
    assert transport.post(b"first", {}, 60).status == 204
    with pytest.raises(Retryable) as caught:
        transport.post(b"second", {}, 60)
    assert caught.value.status == 503
    assert transport.post(b"third", {}, 60).status == 204
    assert (len(server.requests), server.connections) == (3, 1)


LONG = 3600  # seconds: a test that waits for so long does not end in time


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n", id="no length"),
        pytest.param(b"HTTP/1.1 202 Accepted\r\nConnection: close\r\n\r\ndone", id="a body up to the end"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\n", id="HTTP/1.0"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ndone", id="less than there should be"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndone\r\n", id="chunks without end"),
    ],
)
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_a_body_that_does_not_end_is_not_waited_for_and_its_connection_not_kept(
    start_server, make_transport, certificates, header, tls
):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server.certificate, certificates.server.key)
    server = start_server(in_turn(raw(header, keep=True), answer()), tls=context if tls else None)
    transport = make_transport(server.url, certificate=str(certificates.ca))
    assert transport.post(b"x", {}, LONG).status in {200, 202}
    assert transport.post(b"x", {}, LONG).status == 204
    assert [request.connection for request in server.requests] == [1, 2]


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        pytest.param(b"200 OK", b"<html><title>Log in</title></html>", Rejected, "not as a Remote Write", id="a page"),
        pytest.param(b"400 Bad Request", b"no such tenant", Rejected, "no such tenant", id="a refusal"),
        pytest.param(b"503 Unavailable", b"ring is empty", Retryable, "ring is empty", id="an outage"),
    ],
)
@pytest.mark.parametrize("chunked", [False, True], ids=["no length", "chunks without end"])
def test_what_has_come_of_a_body_that_does_not_end_counts(  # noqa: PLR0917 - a table
    start_server, make_transport, status, body, error, words, chunked
):
    framed = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(body), body) if chunked else b"\r\n" + body
    server = start_server(raw(b"HTTP/1.1 " + status + b"\r\n" + framed, keep=True))
    with pytest.raises(error, match=words):
        make_transport(server.url).post(b"x", {}, LONG)


def test_an_interim_answer_alone_accepts_nothing(start_server, make_transport):
    with pytest.raises(Retryable):
        make_transport(start_server(raw(INTERIM)).url).post(b"x", {}, 60)


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize(
    "more",
    [
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", id="a second answer"),
        pytest.param(b"hello", id="a body where there is none"),
        pytest.param(b"\r\n", id="a line break"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n" * 4000, id="many answers"),
    ],
)
def test_a_connection_on_which_anything_is_unread_serves_no_other_request(
    start_server, make_transport, certificates, tls, more
):
    """What was left over was taken for the answer to the next request: a 503 counted as accepted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server.certificate, certificates.server.key)
    server = start_server(
        in_turn(raw(b"HTTP/1.1 204 No Content\r\n\r\n" + more, keep=True), answer(503, body=b"later")),
        tls=context if tls else None,
    )
    transport = make_transport(server.url, certificate=str(certificates.ca))
    assert transport.post(b"first", {}, 60).status == 204
    with pytest.raises(Retryable) as caught:
        transport.post(b"second", {}, 60)
    assert caught.value.status == 503
    assert [request.connection for request in server.requests] == [1, 2]


def test_what_comes_when_the_connection_is_idle_is_no_answer_to_the_next_request(start_server, make_transport):
    said, go_on = threading.Event(), threading.Event()

    def say_more_later(exchange):
        answer()(exchange)
        assert go_on.wait(60)
        exchange.connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        said.set()
        return True

    server = start_server(in_turn(say_more_later, answer(503, body=b"later")))
    transport = make_transport(server.url)
    transport.post(b"first", {}, 60)
    go_on.set()
    assert said.wait(60)
    with pytest.raises(Retryable) as caught:
        transport.post(b"second", {}, 60)
    assert caught.value.status == 503


@pytest.mark.parametrize(
    "value", ["1\x1d", "1\x85", "\xa01", "Mon, 99 Foo", "-1", "1e400", "Sun, 06 Nov 99999999999 08:49:37 GMT"]
)
def test_a_retry_after_that_says_nothing_is_no_fault_of_the_request(start_server, make_transport, value):
    server = start_server(answer(503, {"Retry-After": value}))
    with pytest.raises(Retryable) as caught:
        make_transport(server.url).post(b"x", {}, 60)
    assert (caught.value.status, caught.value.retry_after) == (503, None)


@pytest.fixture
def fuzzed(start_server, make_transport):
    """A server, and a transport to it."""
    server = start_server()
    return SimpleNamespace(server=server, transport=make_transport(server.url))


@examples(max_examples=scaled(200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.binary(max_size=60)
    | st.builds(
        lambda status, headers, body: b"HTTP/1.1 %d X\r\n%s\r\n%s" % (status, b"".join(headers), body),
        st.integers(0, 1000),
        st.lists(
            st.builds(
                lambda name, value: name + b": " + value + b"\r\n",
                st.sampled_from(
                    [b"Content-Length", b"Transfer-Encoding", b"Retry-After", b"Content-Encoding", b"Location", b"Date"]
                ),
                st.sampled_from([b"chunked", b"gzip", b"5", b"-1"]) | st.binary(max_size=10),
            ),
            max_size=3,
        ),
        st.binary(max_size=40),
    ),
)
def test_whatever_bytes_come_they_are_an_answer_or_one_of_our_errors(fuzzed, head):
    fuzzed.server.behaviour = raw(head)
    try:
        assert 200 <= fuzzed.transport.post(b"x", {}, 2).status < 300
    except SendError as error:
        assert str(error).isprintable()  # noqa: PT017 - both outcomes are right
        assert not isinstance(error, Unsendable)  # noqa: PT017 - as above


# --- 2xx that is no receiver's, and what is packed ---


def test_a_login_page_is_a_failure(start_server, make_transport):
    page = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in</body></html>"
    server = start_server(answer(200, {"Content-Type": "text/html"}, page))
    with pytest.raises(Rejected, match="answered 200 OK, but not as a Remote Write receiver would") as caught:
        make_transport(server.url).post(b"x", {}, 60)
    assert caught.value.cause is Cause.NO_RECEIVER


def test_a_packed_error_is_read(start_server, make_transport):
    server = start_server(answer(400, {"Content-Encoding": "gzip"}, gzip.compress(b"out of order sample")))
    with pytest.raises(Rejected, match="out of order sample") as caught:
        make_transport(server.url).post(b"x", {}, 60)
    assert caught.value.cause is Cause.OUT_OF_ORDER


# --- plain and TLS confused ---


def test_a_server_with_tls_that_says_so_to_a_plain_request(start_server, make_transport):
    server = start_server(answer(400, body=b"Client sent an HTTP request to an HTTPS server.\n", keep=False))
    with pytest.raises(Unsendable) as caught:
        make_transport(server.url).post(b"x", {}, 60)
    assert caught.value.cause is Cause.WANTS_TLS


def test_a_server_with_tls_that_closes_at_once(start_server, make_transport):
    with pytest.raises(Retryable) as caught:
        make_transport(start_server(raw(b"")).url).post(b"x", {}, 60)
    assert caught.value.cause is Cause.PERHAPS_WANTS_TLS


def test_a_server_with_tls_that_answers_with_an_alert(start_server, make_transport):
    with pytest.raises(Retryable, match="not HTTP") as caught:
        make_transport(start_server(raw(b"\x15\x03\x03\x00\x02\x02\x46")).url).post(b"x", {}, 60)
    assert caught.value.cause is Cause.WANTS_TLS


# --- secrets that were exchanged ---


@pytest.mark.parametrize("status", [401, 403])
def test_a_request_that_is_refused_for_an_old_secret_is_sent_with_the_new_one(
    start_server, make_transport, tmp_path, status
):
    token = tmp_path / "token"
    token.write_text("first")
    times = token.stat()

    def exchange_it(exchange):
        token.write_text("other")
        os.utime(token, ns=(times.st_atime_ns, times.st_mtime_ns))  # as if nothing had happened
        return answer(status)(exchange)

    server = start_server(in_turn(exchange_it, answer()))
    assert make_transport(server.url, bearer_token_file=str(token)).post(b"x", {}, 60).status == 204
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer first", "Bearer other"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_request_that_is_refused_twice_is_refused_for_good(start_server, make_transport, status):
    server = start_server(answer(status))
    with pytest.raises(Rejected):
        make_transport(server.url, bearer_token="x").post(b"x", {}, 60)
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_a_redirect_is_an_error_that_says_where_to_and_nothing_goes_there(start_server, make_transport, status):
    elsewhere = start_server()
    place = elsewhere.url.replace("//", "//user:hunter2@") + "/login?next=secret#top"
    server = start_server(answer(status, {"Location": place}))
    with pytest.raises(
        Rejected, match=f"answered {status} .*: redirected to {elsewhere.url}/login; redirects"
    ) as caught:
        make_transport(f"{server.url}/api").post(b"x", {}, 60)
    assert caught.value.status == status
    assert "hunter2" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert elsewhere.requests == []


@pytest.mark.parametrize("name", sorted(RESERVED_HEADERS))
def test_a_reserved_header_is_never_the_users(start_server, make_transport, name):
    server = start_server()
    make_transport(server.url, headers={name.title(): "mine"}).post(b"x", PROTOCOL, 60)
    assert server.requests[0].headers.get(name) != "mine"


def test_headers_of_the_protocol_win_whatever_their_case(start_server, make_transport):
    server = start_server()
    transport = make_transport(server.url, headers={"RETRY-attempt": "9", "x-own": "kept", "uSER-aGENT": "mine"})
    transport.post(b"x", {"X-Own": "ours"}, 60)
    headers = server.requests[0].headers
    assert (headers["x-own"], headers["user-agent"]) == ("ours", "tests/1")
    assert "retry-attempt" not in headers


def test_the_users_other_headers_are_sent_in_utf_8(start_server, make_transport):
    server = start_server()
    make_transport(server.url, headers={"X-Scope-OrgID": "5", "X-Name": "Jürgen"}).post(b"x", PROTOCOL, 60)
    headers = server.requests[0].headers
    assert headers["x-scope-orgid"] == "5"
    assert headers["x-name"].encode("latin-1").decode() == "Jürgen"


def test_retry_after_as_a_date_is_seen_from_the_clock(start_server, make_transport):
    server = start_server(answer(429, {"Retry-After": "Thu, 01 Jan 1970 00:01:40 GMT"}))
    with pytest.raises(Retryable) as caught:
        make_transport(server.url, clock=lambda: 60.0).post(b"x", {}, 60)
    assert (caught.value.status, caught.value.retry_after) == (429, 40.0)


def test_errors_carry_no_exception_of_the_network_with_them(make_transport):
    with pytest.raises(Retryable) as caught:
        make_transport("http://127.0.0.1:1/").post(b"x", {"X": "secret"}, 60)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_a_closed_transport_lets_go_of_its_connections(start_server, make_transport):
    server = start_server()
    transport = make_transport(server.url)
    transport.post(b"x", {}, 60)
    transport.close()
    transport.close()
    transport.post(b"x", {}, 60)
    assert server.connections == 2


@pytest.mark.parametrize(
    "endpoint", ["", "nonsense", "ftp://host/", "http://[::1", "http://host:99999/", "http:///path"]
)
def test_an_endpoint_that_is_none_is_said_at_the_first_request(make_transport, endpoint):
    with pytest.raises(Unsendable, match="OTEL_EXPORTER_PRW_ENDPOINT is not the URL"):
        make_transport(endpoint).post(b"x", {}, 60)


@given(
    endpoint=st.text() | st.from_regex(r"https?://.*", fullmatch=True),
    headers=st.dictionaries(st.text(), st.text(), max_size=2),
    environ=st.dictionaries(st.sampled_from(["http_proxy", "HTTPS_PROXY", "no_proxy"]), st.text()),
    password_file=st.text(),
)
def test_making_a_transport_raises_nothing(endpoint, headers, environ, password_file):
    settings = Settings(endpoint=endpoint, headers=headers, username="u", password_file=password_file)
    Transport(settings, environ=environ, user_agent="x").close()


@given(endpoint=st.from_regex(r"http://127\.0\.0\.1:1[/?].*", fullmatch=True), name=st.text(), value=st.text())
def test_whatever_cannot_be_sent_is_one_of_our_errors(endpoint, name, value):
    transport = Transport(Settings(endpoint=endpoint, headers={name: value}), environ={}, user_agent="x")
    with pytest.raises(SendError) as caught:
        transport.post(b"x", {}, 1)
    assert str(caught.value).isprintable()


def test_after_a_fork_parent_and_child_have_connections_of_their_own(start_server):
    server = start_server()
    script = Path(__file__).with_name("post_around_a_fork.py")
    subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", script, server.url], check=True, timeout=60)
    assert [(request.connection, request.body) for request in server.requests] == [
        (1, b"parent before"),
        (2, b"child"),
        (1, b"parent after"),
    ]
