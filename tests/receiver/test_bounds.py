"""Whatever comes in, the receiver stays small, answers, and goes on."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest
import snappy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.proto import write_v1_pb2 as v1
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from opentelemetry.exporter.prometheus_remote_write.receiver.decoding import decode
from opentelemetry.exporter.prometheus_remote_write.receiver.limits import Limits
from opentelemetry.exporter.prometheus_remote_write.receiver.page import Page
from opentelemetry.exporter.prometheus_remote_write.receiver.pages import PageAnswer
from opentelemetry.exporter.prometheus_remote_write.receiver.refusal import Refusal
from opentelemetry.exporter.prometheus_remote_write.receiver.store import Store
from opentelemetry.exporter.prometheus_remote_write.receiver.validation import Rules
from opentelemetry.exporter.prometheus_remote_write.receiver.wire import Elements
from tests.receiver.messages import NOW, exemplar, post, request, request_2_0, sample, series, series_2_0


@pytest.fixture
def receiver():
    with Receiver() as running:
        yield running


@pytest.fixture
def limited(server_stack):
    def start(*, limit=10_000, **limits):
        return server_stack.enter_context(Receiver(limit=limit, limits=Limits(**limits)))

    return start


def histogram_of(buckets):
    histogram = v1.Histogram(timestamp=NOW, count_int=0)
    histogram.positive_spans.add(length=buckets)
    histogram.positive_deltas.extend([0] * buckets)
    return histogram


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"\x0a\x00" * 4_000_000, "there is no __name__", id="millions of empty series"),
        pytest.param(b"\x1a\x00" * 4_000_000, "metadata of family ''", id="millions of empty metadata"),
        pytest.param(
            request(series(exemplars=[exemplar(labels=[("a", "1")])] * 300)).SerializeToString(),
            "more than 500 elements",
            id="exemplars",
        ),
        pytest.param(
            request(series(samples=[sample(1.0, NOW + at) for at in range(600)])).SerializeToString(),
            "more than 500 elements",
            id="samples",
        ),
        pytest.param(
            request(series(samples=[], histograms=[histogram_of(600)])).SerializeToString(),
            "more than 500 elements",
            id="buckets",
        ),
        pytest.param(
            request(series([("__name__", "up"), *((f"label_{number:03}", "x") for number in range(600))]))
            .SerializeToString(),
            "more than 500 elements",
            id="labels",
        ),
        pytest.param(
            request(*(series([("__name__", f"up_{number}")]) for number in range(300))).SerializeToString(),
            "more than 500 elements",
            id="series",
        ),
        pytest.param(
            request(series([("__name__", "x" * 1_100_000)])).SerializeToString(),
            "a TimeSeries has 1100",
            id="bytes of one series",
        ),
    ],
)  # fmt: skip
def test_decoding_ends_at_the_first_fault_and_at_a_number_of_elements(content, reason):
    with pytest.raises(Refusal) as refusal:
        decode("1.0", content, Rules("1.0").check, Elements(500))
    assert reason in refusal.value.reason
    assert refusal.value.status == (400 if "there is no" in reason or "''" in reason else 413)


def test_symbols_count_as_elements_in_2_0():
    with pytest.raises(Refusal, match="more than 500 elements"):
        decode(
            "2.0",
            request_2_0(symbols=["", *(str(number) for number in range(600))]).SerializeToString(),
            Rules("2.0").check,
            Elements(500),
        )


def test_symbol_that_comes_again_after_a_hundred_thousand_others_is_found():
    symbols = ["", *(f"s{number}" for number in range(100_000)), "s99999"]
    with pytest.raises(Refusal, match="symbol 's99999' is in the table twice"):
        decode("2.0", request_2_0(symbols=symbols).SerializeToString())


def test_symbols_may_stand_after_the_series_that_refer_to_them():
    message = request_2_0(series_2_0())
    first = request_2_0(symbols=[])
    first.timeseries.extend(message.timeseries)
    content = first.SerializeToString() + request_2_0().SerializeToString()
    [decoded] = decode("2.0", content, Rules("2.0").check).series
    assert decoded.labels == (("__name__", "up"), ("job", "shop"))


def test_small_body_that_unpacks_to_much_is_refused_and_the_next_push_is_taken(receiver):
    assert post(receiver, snappy.compress(b"\x0a\x00" * 4_000_000)).status == 400
    assert post(receiver, request(series())).status == 204


HEAD = b"POST /api/v1/write HTTP/1.1\r\nHost: localhost\r\n"


def answer_to(receiver, text):
    """Send bytes, and nothing more, and return the whole answer."""
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=60) as client:
        client.sendall(text)
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_body_that_is_too_large_is_answered_before_it_comes(receiver):
    answer = answer_to(receiver, HEAD + b"Content-Length: 1000000000\r\n\r\nbeginning")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.endswith(b"the body has 1000000000 bytes; the limit is 33554432\n")


def test_sender_of_a_body_that_is_too_large_is_not_asked_to_go_on(receiver):
    answer = answer_to(receiver, HEAD + b"Expect: 100-continue\r\nContent-Length: 1000000000\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_sender_that_asks_first_is_asked_to_go_on(receiver):
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=60) as client:
        client.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 100 ")


@pytest.mark.parametrize(
    "lengths",
    [
        pytest.param(b"Content-Length: 3\r\nContent-Length: 7\r\n", id="two headers"),
        pytest.param(b"Content-Length: 3\r\nContent-Length: 3\r\n", id="two equal ones"),
        pytest.param(b"Content-Length: 3, 7\r\n", id="a list"),
    ],
)
def test_request_with_two_lengths_is_refused(receiver, lengths):
    answer = answer_to(receiver, HEAD + lengths + b"\r\nabcdefg")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"several lengths" in answer
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Host": "evil.example"}, id="another host"),
        pytest.param({"Host": "localhost.evil.example:9009"}, id="a host that looks like ours"),
        pytest.param({"Host": "evil.example@localhost"}, id="a user in front of our host"),
        pytest.param({"Host": "localhost:9009, evil.example"}, id="two hosts in one"),
        pytest.param({"Host": "localhost:9009/evil.example"}, id="more than a host"),
        pytest.param({"Host": "10.0.0.1:9009"}, id="an address that is not listened on"),
        pytest.param({"Origin": "http://evil.example"}, id="another origin"),
        pytest.param({"Origin": "null"}, id="a sandboxed page"),
        pytest.param({"Host": "evil.example", "Origin": "http://evil.example"}, id="a name that leads here"),
        pytest.param({"Host": "localhost", "Origin": "http://localhost:8080"}, id="another port's page"),
    ],
)
def test_push_from_a_web_page_elsewhere_is_forbidden(receiver, headers):
    answer = post(receiver, request(series()), headers=headers)
    assert answer.status == 403
    assert [each.status for each in receiver.rejected] == [403]
    assert not receiver.received


@pytest.mark.parametrize("host", ["localhost:9009", "127.0.0.1", "[::1]:9009", "receiver.localhost"])
def test_push_to_a_name_of_loopback_is_taken(receiver, host):
    assert post(receiver, request(series()), headers={"Host": host}).status == 204
    own = {"Host": host, "Origin": f"http://{host}"}
    assert post(receiver, request(series(samples=[sample(2.0, NOW + 1)])), headers=own).status == 204


def test_program_may_know_a_receiver_beyond_loopback_by_any_name_but_a_web_page_may_not():
    with Receiver("0.0.0.0") as receiver:
        assert receiver.url == f"http://127.0.0.1:{receiver.port}/api/v1/write"
        assert post(receiver, request(series()), headers={"Host": "receiver:9009"}).status == 204
        rebound = {"Host": "evil.example", "Origin": "http://evil.example"}
        assert post(receiver, request(series()), headers=rebound).status == 403


def test_order_is_remembered_of_the_series_that_came_last(limited):
    receiver = limited(remembered_series=2)
    for number, name in enumerate(["a", "b", "a", "c"]):
        post(receiver, request(series([("__name__", name)], [sample(1.0, NOW + number)])))
    late = {name: request(series([("__name__", name)], [sample(2.0, NOW)])) for name in "abc"}
    assert [post(receiver, late[name]).status for name in "acb"] == [400, 400, 204]


def test_connection_beyond_the_most_is_turned_away_and_served_later(limited):
    receiver = limited(connections=1)
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=60) as first:
        first.sendall(b"POST ")
        assert b"503" in answer_to(receiver, b"")
    assert post_when_there_is_room(receiver).status == 204


def test_client_that_sends_a_byte_now_and_then_keeps_nobody_out_for_long(server_stack):
    receiver = server_stack.enter_context(Receiver(timeout=1.0, limits=Limits(connections=2)))
    was_cut_off = threading.Event()
    with contextlib.ExitStack() as stack:
        for beginning in (b"POST ", HEAD + b"Content-Length: 9999\r\n\r\n"):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", receiver.port), timeout=60))
            slow.sendall(beginning)
            threading.Thread(target=drip, args=(slow, was_cut_off)).start()
        assert post_when_there_is_room(receiver).status == 204
        assert was_cut_off.wait(60)


def drip(client, was_cut_off):
    """Send bytes until the connection ends, or for some time."""
    for _ in range(400):
        try:
            client.sendall(b"x")
        except OSError:
            was_cut_off.set()
            return
        threading.Event().wait(0.05)


def test_page_is_not_served_to_two_hosts(receiver):
    for hosts in (b"Host: localhost\r\nHost: evil.example\r\n", b"Host: evil.example\r\nHost: localhost\r\n"):
        assert b" 400 " in answer_to(receiver, b"GET / HTTP/1.1\r\n" + hosts + b"Connection: close\r\n\r\n")


def post_when_there_is_room(receiver):
    while (answer := post(receiver, request(series()))).status == 503:
        threading.Event().wait(0.05)
    return answer


def test_bodies_that_come_at_the_same_time_are_bounded_together(limited):
    receiver = limited(bytes_under_way=0, limit=1000)
    with socket.create_connection(("127.0.0.1", receiver.port)) as slow:
        slow.sendall(HEAD + b"Content-Length: 990\r\n\r\nabc")
        while not receiver._server._bytes_under_way:
            threading.Event().wait(0.01)
        answer = post(receiver, request(series()))
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")


def test_stopping_does_not_wait_for_a_client_that_reads_nothing():
    with Receiver(pages=Endless()) as receiver, socket.create_connection(("127.0.0.1", receiver.port)) as deaf:
        deaf.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert deaf.recv(1) == b"H"


class Endless:
    """A page that does not end."""

    def get(self, target):
        assert target == "/"
        return PageAnswer(iter(lambda: b"x" * 1_000_000, b""))


WORDS = st.sampled_from(
    [
        b"POST", b"GET", b"PUT", b" ", b"/", b"/api/v1/write", b"/view/metric?name=up", b"/view/senders", b"?where=",
        b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b"\r\n", b"\n", b"Host: localhost\r\n", b"Host: [\r\n", b"Host: \xff\r\n",
        b"Origin: http://[\r\n", b"Origin: null\r\n", b"Content-Length: 3\r\n", b"Content-Length: 0\r\n",
        b"Content-Length: -1\r\n", b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"abc", b"\x00",
        b"Content-Type: application/x-protobuf\r\n", b"Content-Encoding: snappy\r\n", b"%", b"\xff\xfe", b":" * 50,
    ]
)  # fmt: skip


@pytest.fixture(scope="module")
def attacked():
    store = Store()
    with Receiver(timeout=60, listener=store, pages=Page(store)) as running:
        yield running


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the log of all examples is looked at
@given(st.lists(WORDS | st.binary(max_size=30), max_size=12).map(b"".join))
def test_whatever_bytes_come_are_answered_or_left_and_the_next_push_is_looked_at(attacked, caplog, content):
    with socket.create_connection(("127.0.0.1", attacked.port), timeout=60) as client, contextlib.suppress(OSError):
        client.sendall(content)
        client.shutdown(socket.SHUT_WR)
        while client.recv(65536):
            pass
    assert post(attacked, request(series([("a", "1")]))).status == 400
    assert not caplog.records
