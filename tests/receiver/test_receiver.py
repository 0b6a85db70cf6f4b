from __future__ import annotations

import contextlib
import socket
import threading

import pytest
import snappy
import urllib3

from opentelemetry.exporter.prometheus_remote_write.model.remote_write import Exemplar, Span
from opentelemetry.exporter.prometheus_remote_write.proto import write_v1_pb2 as v1
from opentelemetry.exporter.prometheus_remote_write.proto import write_v2_pb2 as v2
from opentelemetry.exporter.prometheus_remote_write.receiver import (
    Histogram,
    ReceivedMetadata,
    Receiver,
    Sample,
    ScriptedAnswer,
    Series,
)
from tests.receiver.messages import (
    NOW,
    UP,
    exemplar,
    post,
    request,
    request_2_0,
    sample,
    series,
    series_2_0,
)


@pytest.fixture
def receiver():
    with Receiver() as running:
        yield running


def test_protocol_1_0_is_decoded_whole(receiver):
    histogram = v1.Histogram(
        timestamp=NOW, count_int=6, sum=9.5, schema=3, zero_threshold=1e-128, zero_count_int=1, reset_hint="GAUGE"
    )
    histogram.positive_spans.add(offset=-2, length=2)
    histogram.positive_deltas.extend([2, -1])
    histogram.negative_spans.add(offset=1, length=1)
    histogram.negative_deltas.append(2)
    message = request(
        series(samples=[sample(1.5, NOW), sample(2.5, NOW + 1)], exemplars=[exemplar(0.25, NOW, [("trace_id", "ab")])]),
        series([("__name__", "latency")], samples=[], histograms=[histogram]),
        metadata=[v1.MetricMetadata(type="COUNTER", metric_family_name="up", help="Is it up?", unit="bools")],
    )
    answer = post(receiver, message, path="/tenant/7/api/v1/push")
    assert (answer.status, answer.data) == (204, b"")
    assert not [name for name in answer.headers if name.lower().endswith("-written")]
    [received] = receiver.received
    assert received.protocol == "1.0"
    assert received.path == "/tenant/7/api/v1/push"
    assert received.body == snappy.compress(message.SerializeToString())
    assert received.headers["content-TYPE"] == "application/x-protobuf"
    assert received.families == {"up": ReceivedMetadata("counter", "Is it up?", "bools")}
    assert received.series == (
        Series(
            UP,
            samples=(Sample(1.5, NOW), Sample(2.5, NOW + 1)),
            exemplars=(Exemplar((("trace_id", "ab"),), 0.25, NOW),),
        ),
        Series(
            (("__name__", "latency"),),
            histograms=(
                Histogram(
                    timestamp=NOW,
                    count=6,
                    sum=9.5,
                    schema=3,
                    zero_threshold=1e-128,
                    zero_count=1,
                    negative_spans=(Span(1, 1),),
                    negative_counts=(2,),
                    positive_spans=(Span(-2, 2),),
                    positive_counts=(2, 1),
                    reset_hint=3,
                ),
            ),
        ),
    )


def test_protocol_2_0_is_decoded_whole_and_confirmed(receiver):
    histogram = v2.Histogram(
        timestamp=NOW, count_float=2.5, sum=9.5, schema=-53, custom_values=[1.0, 2.0], start_timestamp=NOW - 9
    )
    histogram.positive_spans.add(offset=1, length=2)
    histogram.positive_counts.extend([2.0, 0.5])
    message = request_2_0(
        series_2_0(
            samples=[v2.Sample(value=3.0, timestamp=NOW, start_timestamp=NOW - 5)],
            exemplars=[v2.Exemplar(labels_refs=[7, 8], value=0.5, timestamp=NOW)],
            metadata=v2.Metadata(type="METRIC_TYPE_COUNTER", help_ref=5, unit_ref=6),
        ),
        series_2_0([1, 4], samples=[], histograms=[histogram]),
    )
    answer = post(receiver, message)
    assert (answer.status, answer.data) == (204, b"")
    written = {name: value for name, value in answer.headers.items() if name.startswith("X-")}
    assert written == {
        "X-Prometheus-Remote-Write-Samples-Written": "1",
        "X-Prometheus-Remote-Write-Histograms-Written": "1",
        "X-Prometheus-Remote-Write-Exemplars-Written": "1",
    }
    [received] = receiver.received
    assert received.protocol == "2.0"
    assert received.series == (
        Series(
            UP,
            samples=(Sample(3.0, NOW, NOW - 5),),
            exemplars=(Exemplar((("trace_id", "1"),), 0.5, NOW),),
            metadata=ReceivedMetadata("counter", "Help.", "s"),
        ),
        Series(
            (("__name__", "shop"),),
            histograms=(
                Histogram(
                    timestamp=NOW,
                    count=2.5,
                    sum=9.5,
                    schema=-53,
                    positive_spans=(Span(1, 2),),
                    positive_counts=(2.0, 0.5),
                    custom_bounds=(1.0, 2.0),
                    start_timestamp=NOW - 9,
                ),
            ),
        ),
    )


def test_refusal_says_why_stores_nothing_and_does_not_end_the_connection(receiver):
    with urllib3.PoolManager() as pool:
        answer = post(receiver, request(series(), series([("b", "2"), ("a", "1")])), pool=pool)
        assert answer.status == 400
        assert answer.data == b"labels are not sorted: 'a' comes after 'b' (series {b=\"2\", a=\"1\"})\n"
        assert post(receiver, request(series()), pool=pool).status == 204
    assert [(each.status, each.reason) for each in receiver.rejected] == [(400, answer.data.decode().rstrip())]
    assert receiver.values("up") == [1.0]
    assert receiver.connections == 1


def test_refusal_of_2_0_confirms_that_nothing_was_written(receiver):
    answer = post(receiver, request_2_0(series_2_0([1, 2, 3])))
    assert answer.status == 400
    assert answer.headers["X-Prometheus-Remote-Write-Samples-Written"] == "0"
    assert (
        post(receiver, request_2_0(), headers={"Content-Type": "text/plain"})
        .headers.keys()
        .isdisjoint(["X-Prometheus-Remote-Write-Samples-Written"])
    )


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/write",
        "/api/v1/push",
        "/api/prom/push",
        "/api/v1/receive",
        "/insert/0/prometheus/api/v1/write",
        "/api/v1/write?tenant=7",
    ],
)
def test_pushes_are_taken_where_receivers_take_them(receiver, path):
    assert post(receiver, request(series()), path=path).status == 204
    assert receiver.values("up") == [1.0]


@pytest.mark.parametrize(
    "path", ["/", "/any/path", "/api/v1/write/", "/api/v1/query", "/api/v1/writes", "/x?/api/v1/write"]
)
def test_push_to_another_path_is_rejected_as_not_found(receiver, path):
    with urllib3.PoolManager() as pool:
        answer = post(receiver, request(series()), path=path, pool=pool)
        assert answer.status == 404
        assert "/api/v1/write, /api/v1/push" in answer.data.decode()
        assert post(receiver, request(series()), pool=pool).status == 204
    assert [each.status for each in receiver.rejected] == [404]
    assert receiver.connections == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_than_post_are_refused_and_are_no_rejection_of_a_push(receiver, method):
    answer = urllib3.request(method, receiver.url, body=b"x" if method == "PUT" else None, retries=False)
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST"
    assert receiver.rejected == []


def test_there_is_no_page_unless_one_is_given(receiver):
    assert urllib3.request("GET", receiver.page, retries=False).status == 404
    assert receiver.rejected == []


@pytest.mark.parametrize(
    ("timestamp", "reason"),
    [
        pytest.param(
            NOW, f"duplicate: timestamp {NOW} was received before", id="the same timestamp with another value"
        ),
        pytest.param(NOW - 1, f"out of order: {NOW - 1} comes after {NOW}", id="an older timestamp"),
    ],
)
def test_samples_are_in_order_across_requests(receiver, timestamp, reason):
    assert post(receiver, request(series())).status == 204
    answer = post(receiver, request(series(samples=[sample(2.0, timestamp)])))
    assert (answer.status, answer.data.decode()) == (400, f'{reason} (series up{{job="shop"}})\n')
    assert post(receiver, request(series(samples=[sample(3.0, NOW + 1)]))).status == 204
    assert receiver.values("up") == [1.0, 3.0]


def test_order_counts_for_each_series_alone(receiver):
    assert post(receiver, request(series())).status == 204
    assert post(receiver, request(series([("__name__", "other")], [sample(1.0, NOW - 1)]))).status == 204


def test_order_counts_across_protocols_and_kinds_of_value(receiver):
    assert post(receiver, request(series())).status == 204
    histogram = v2.Histogram(timestamp=NOW - 1)
    assert post(receiver, request_2_0(series_2_0(samples=[], histograms=[histogram]))).status == 400


def test_refused_request_leaves_no_trace_in_the_order(receiver):
    late = series([("__name__", "a")], [sample(1.0, NOW + 5)])
    assert post(receiver, request(late, series(samples=[]), series(samples=[]))).status == 400
    assert post(receiver, request(series([("__name__", "a")]))).status == 204


def test_identical_request_is_taken_for_a_retry_while_nothing_newer_came(receiver):
    first, second = request(series()), request(series(samples=[sample(2.0, NOW + 1)]))
    assert [post(receiver, each).status for each in (first, first, second, first)] == [204, 204, 204, 400]
    assert [each.repeated for each in receiver.received] == [False, True, False]
    assert receiver.values("up") == [1.0, 2.0]


def test_lookup_finds_series_by_name_and_any_of_their_labels(receiver):
    for number, at in ((1.0, NOW), (2.0, NOW + 1)):
        post(
            receiver,
            request(
                series([("__name__", "hits"), ("job", "shop"), ("route", "/a")], [sample(number, at)]),
                series([("__name__", "hits"), ("job", "shop"), ("route", "/b")], [sample(-number, at)]),
            ),
        )
    assert receiver.values("hits", route="/a") == [1.0, 2.0]
    assert receiver.samples("hits", route="/b")[-1] == Sample(-2.0, NOW + 1)
    assert [each.label("route") for each in receiver.series("hits", job="shop")] == ["/a", "/b"]
    assert receiver.series("hits", job="other") == []
    with pytest.raises(LookupError, match=r'2 series match.*\n  hits{job="shop", route="/a"}\n  hits.*/b"}'):
        receiver.values("hits")
    with pytest.raises(LookupError, match=r"0 series match missing(.|\n)*there is:\n  hits"):
        receiver.values("missing")


def test_waiting_ends_when_the_requests_are_there(receiver):
    pushes = [
        threading.Thread(target=post, args=(receiver, request(series([("__name__", name)])))) for name in ("a", "b")
    ]
    for push in pushes:
        push.start()
    receiver.wait_for(2, 60)
    receiver.wait_for(lambda it: it.values("a") and it.values("b"), 60)
    for push in pushes:
        push.join()


def test_series_that_is_not_there_yet_is_waited_for(receiver):
    with pytest.raises(TimeoutError, match="there are 0 requests"):
        receiver.wait_for(lambda it: it.values("up") == [1.0], timeout=0.01)
    post(receiver, request(series()))
    receiver.wait_for(lambda it: it.values("up") == [1.0], 60)


def test_waiting_in_vain_says_what_came_in_instead(receiver):
    post(receiver, request(series(samples=[sample(1.0, 5)])))
    with pytest.raises(TimeoutError, match="there are 0 requests; rejected: 400 timestamp 5 is not in milliseconds"):
        receiver.wait_for(1, timeout=0.01)


def test_newest_requests_are_kept_where_the_history_is_bounded():
    heard = []
    with Receiver(keep=1, listener=heard.append) as receiver:
        for at in (NOW, NOW + 1):
            post(receiver, request(series(samples=[sample(1.0, at)])))
        assert [each.series[0].samples[0].timestamp for each in receiver.received] == [NOW + 1]
    assert [each.series[0].samples[0].timestamp for each in heard] == [NOW, NOW + 1]


def test_scripted_answers_replace_the_receivers_own_in_turn():
    answers = [
        ScriptedAnswer(503, headers={"Retry-After": "1"}, body=b"later"),
        ScriptedAnswer(200, body=b"fine"),
        ScriptedAnswer(204, stored=False),
        ScriptedAnswer(500, stored=True),
        None,
    ]
    with Receiver(answers=answers) as receiver, urllib3.PoolManager() as pool:
        replies = [post(receiver, request(series(samples=[sample(at, NOW + at)])), pool=pool) for at in range(6)]
        assert [each.status for each in replies] == [503, 200, 204, 500, 204, 204]
        assert (replies[0].headers["Retry-After"], replies[0].data) == ("1", b"later")
        assert replies[1].data == b"fine"
        assert receiver.values("up") == [1.0, 3.0, 4.0, 5.0]
        assert [(each.status, each.reason) for each in receiver.rejected] == [
            (503, "a scripted answer"),
            (204, "a scripted answer"),
        ]
        assert receiver.connections == 1


def test_scripted_answer_of_a_receiver_that_does_not_know_2_0():
    with Receiver(answers=[ScriptedAnswer(204, stored=False), ScriptedAnswer(200)]) as receiver:
        deaf, knowing = (post(receiver, request_2_0(series_2_0())) for _ in range(2))
        assert deaf.status == 204
        assert "X-Prometheus-Remote-Write-Samples-Written" not in deaf.headers
        assert knowing.headers["X-Prometheus-Remote-Write-Samples-Written"] == "1"


def test_script_may_be_a_function_of_the_request():
    with Receiver(
        answers=lambda asked: ScriptedAnswer(401) if "Authorization" not in asked.headers else None
    ) as receiver:
        assert post(receiver, request(series())).status == 401
        assert post(receiver, request(series()), headers={"Authorization": "Bearer x"}).status == 204


def test_script_is_not_asked_about_a_faulty_request():
    with Receiver(answers=[ScriptedAnswer(200)]) as receiver:
        assert post(receiver, request(series([("a", "1")]))).status == 400
        assert post(receiver, request(series())).status == 200


def test_dropped_answer_closes_the_connection_after_storing():
    with Receiver(answers=[ScriptedAnswer(drop=True)]) as receiver:
        with pytest.raises(urllib3.exceptions.ProtocolError):
            post(receiver, request(series()))
        assert receiver.values("up") == [1.0]


def test_delayed_answer_comes_and_closing_cuts_the_delay_short():
    with Receiver(answers=[ScriptedAnswer(delay=0.001), ScriptedAnswer(delay=3600)]) as receiver:
        assert post(receiver, request(series())).status == 204
        statuses = []
        waiting = threading.Thread(
            target=lambda: statuses.append(post(receiver, request(series(samples=[sample(2.0, NOW + 1)]))).status)
        )
        waiting.start()
        receiver.wait_for(2, 60)
    waiting.join()
    assert statuses == [204]


def test_closing_leaves_no_thread_and_no_listener_though_clients_hang():
    before = set(threading.enumerate())
    receiver = Receiver()
    with contextlib.ExitStack() as stack:
        for beginning in (b"", b"POST /api/v1/write HT", b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc"):
            stuck = stack.enter_context(socket.create_connection(("127.0.0.1", receiver.port)))
            stuck.sendall(beginning)
        with urllib3.PoolManager() as pool:
            assert post(receiver, request(series()), pool=pool).status == 204
            receiver.close()
    receiver.close()
    assert set(threading.enumerate()) <= before
    assert receiver.values("up") == [1.0]
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", receiver.port))


def test_silent_client_is_left_after_the_timeout():
    with Receiver(timeout=1.0) as receiver, socket.create_connection(("127.0.0.1", receiver.port)) as stuck:
        stuck.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc")
        assert stuck.recv(100) == b""


def raw(receiver, text):
    """Send bytes and return the whole answer."""
    with socket.create_connection(("127.0.0.1", receiver.port)) as client:
        client.sendall(text)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))


@pytest.mark.parametrize(
    "length",
    [
        pytest.param(b"", id="no length"),
        pytest.param(b"Transfer-Encoding: chunked\r\n", id="chunked"),
        pytest.param(b"Content-Length: -1\r\n", id="a negative length"),
        pytest.param(b"Content-Length: 1e3\r\n", id="no number"),
        pytest.param(b"Content-Length: " + b"9" * 5000 + b"\r\n", id="an absurd number"),
    ],
)
def test_body_without_a_length_is_refused(receiver, length):
    assert raw(receiver, b"POST / HTTP/1.1\r\n" + length + b"\r\n").startswith(b"HTTP/1.1 411 ")


def test_body_that_breaks_off_is_not_taken_for_a_request(receiver):
    assert raw(receiver, b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc") == b""
    assert not receiver.received
    assert not receiver.rejected


def test_compressed_body_over_the_limit_is_refused_unread():
    with Receiver(limit=1000) as receiver:
        answer = post(receiver, b"x" * 3_000_000)
        assert (answer.status, answer.data) == (413, b"the body has 3000000 bytes; the limit is 1000\n")
        assert receiver.rejected[0].body == b""


def test_decoded_body_over_the_limit_is_refused():
    with Receiver(limit=1000) as receiver:
        assert post(receiver, request(series([("__name__", "a" * 2000)]))).status == 413


def test_nonsense_instead_of_http_does_not_disturb(receiver, capfd):
    assert b"Bad request" in raw(receiver, b"\x16\x03\x01 no http\r\n\r\n")
    assert post(receiver, request(series())).status == 204
    assert capfd.readouterr() == ("", "")


def test_taken_port_is_an_error_at_construction(receiver):
    with pytest.raises(OSError, match="in use"):
        Receiver(port=receiver.port)


def test_url_of_an_ipv6_address_has_brackets():
    try:
        receiver = Receiver("::1")
    except OSError:
        pytest.skip("no IPv6 on this machine: the receiver's IPv6 address was not tried")
    with receiver:
        assert receiver.url == f"http://[::1]:{receiver.port}/api/v1/write"
        assert post(receiver, request(series())).status == 204
