import socket
from contextlib import suppress

import pytest

from opentelemetry.exporter.prometheus_remote_write.errors import Retryable, Unsendable
from tests.transport.scripted_server import answer, drip, in_turn, raw, silent


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(silent, id="says nothing"),
        pytest.param(drip(b"", b"H"), id="drips a status line"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\n", b"a"), id="drips a header"),
        pytest.param(drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="drips interim answers"),
    ],
)
def test_a_receiver_that_takes_too_long_is_given_up(start_server, make_transport, behaviour):
    server = start_server(in_turn(behaviour, answer()))
    transport = make_transport(server.url)
    with pytest.raises(Retryable, match=r"did not answer within 1 s") as caught:
        transport.post(b"x", {}, 1)
    assert caught.value.status is None
    transport.post(b"x", {}, 60)
    assert server.connections == 2


def test_the_time_holds_for_a_kept_connection_too(start_server, make_transport):
    server = start_server(in_turn(answer(), drip(b"", b"H")))
    transport = make_transport(server.url)
    transport.post(b"x", {}, 60)
    with pytest.raises(Retryable, match="did not answer within"):
        transport.post(b"x", {}, 0.2)


def test_a_receiver_that_does_not_read_is_given_up(make_transport):
    with socket.create_server(("127.0.0.1", 0), backlog=1) as listener:
        transport = make_transport(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(Retryable, match="did not answer within"):
            transport.post(bytes(30_000_000), {}, 0.2)


def test_a_receiver_that_reads_no_more_is_given_up_too(start_server, make_transport):
    def answer_once_and_stop_reading(exchange):
        answer()(exchange)
        exchange.stopping.wait()
        return False

    transport = make_transport(start_server(answer_once_and_stop_reading).url)
    transport.post(b"x", {}, 60)
    with pytest.raises(Retryable, match="did not answer within"):
        transport.post(bytes(30_000_000), {}, 0.2)


def test_an_error_that_drips_is_still_the_error(start_server, make_transport):
    server = start_server(drip(b"HTTP/1.1 503 Unavailable\r\nRetry-After: 7\r\nContent-Length: 9999\r\n\r\n", b"."))
    with pytest.raises(Retryable) as caught:
        make_transport(server.url).post(b"x", {}, 2)
    assert (caught.value.status, caught.value.retry_after) == (503, 7)


@pytest.mark.parametrize("timeout", [0, -1.5])
def test_without_time_nothing_is_sent(start_server, make_transport, timeout):
    server = start_server()
    with pytest.raises(Retryable, match="did not answer within"):
        make_transport(server.url).post(b"x", {}, timeout)
    assert server.requests == []


def test_no_limit_is_a_limit_too(start_server, make_transport):
    assert make_transport(start_server().url).post(b"x", {}, float("inf")).status == 204


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "closed the connection without an answer", id="nothing"),
        pytest.param(b"220 smtp.example ESMTP\r\n", "not HTTP", id="another protocol"),
        pytest.param(b"HTTP/1.1 many\r\n\r\n", "not HTTP", id="no status"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\r\n", "not HTTP", id="bytes of TLS"),
    ],
)
def test_what_is_no_answer_is_worth_another_try(start_server, make_transport, data, words):
    with pytest.raises(Retryable, match=words):
        make_transport(start_server(raw(data)).url).post(b"x", {}, 60)


WHOLE_ANSWER = (
    b"HTTP/1.1 100 Continue\r\nX-Interim: yes\r\n\r\n"
    b"HTTP/1.1 204 No Content\r\nX-Prometheus-Remote-Write-Samples-Written: 12\r\nX-Last: b\r\n\r\n"
)
WITH_BARE_LINE_FEEDS = WHOLE_ANSWER.replace(b"\r\n", b"\n")
ANSWER_IN_CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\nX-Trailer: c\r\n\r\n"


@pytest.mark.parametrize(
    ("whole", "end_of_the_head"),
    [
        pytest.param(WHOLE_ANSWER, len(WHOLE_ANSWER), id="of headers alone"),
        pytest.param(WITH_BARE_LINE_FEEDS, len(WITH_BARE_LINE_FEEDS), id="with bare line feeds"),
        pytest.param(ANSWER_IN_CHUNKS, ANSWER_IN_CHUNKS.index(b"3\r\nyes"), id="with a body in chunks"),
    ],
)
def test_an_answer_that_is_cut_off_accepts_the_request_only_if_its_headers_have_ended(
    start_server, make_transport, whole, end_of_the_head
):
    cuts = range(len(whole))
    transport = make_transport(start_server(in_turn(*(raw(whole[:cut]) for cut in cuts), raw(whole))).url)
    accepted = []
    for cut in cuts:
        with suppress(Retryable):
            transport.post(b"x", {}, 60)
            accepted.append(cut)
    assert accepted == [cut for cut in cuts if cut >= end_of_the_head]
    assert transport.post(b"x", {}, 60).status in {200, 204}


def test_an_answer_that_is_cut_off_is_called_that(start_server, make_transport):
    server = start_server(raw(b"HTTP/1.1 204 No Content\r\nX-Foo: b"))
    with pytest.raises(Retryable, match=r"closed the connection in the middle of its answer$"):
        make_transport(server.url).post(b"x", {}, 60)


def test_a_port_without_a_listener_is_worth_another_try(make_transport):
    with pytest.raises(Retryable, match=r"^http://127\.0\.0\.1:1/api could not be reached \(Connection refused\)$"):
        make_transport("http://user:hunter2@127.0.0.1:1/api?token=secret").post(b"x", {}, 60)


def test_an_unknown_name_is_worth_another_try(make_transport):
    with pytest.raises(Retryable, match=r"http://no-such-host\.invalid/ cannot be found"):
        make_transport("http://no-such-host.invalid/").post(b"x", {}, 30)


def test_a_name_that_cannot_exist_is_not(make_transport):
    with pytest.raises(Unsendable, match="what HTTP does not allow"):
        make_transport(f"http://{'a' * 64}.example/").post(b"x", {}, 60)


def test_a_header_with_a_line_break_is_not_and_its_value_is_not_told(start_server, make_transport):
    server = start_server()
    with pytest.raises(Unsendable, match="what HTTP does not allow") as caught:
        make_transport(server.url, headers={"X-Key": "secret\r\nEvil: 1"}).post(b"x", {}, 60)
    assert "secret" not in str(caught.value)
    assert server.requests == []
