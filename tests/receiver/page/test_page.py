"""What the page's addresses answer: data, files, and headers that keep others out."""

from __future__ import annotations

import json
import math
import socket
from urllib.parse import urlencode

import pytest
import urllib3

from opentelemetry.exporter.prometheus_remote_write.model.remote_write import Exemplar, Span
from opentelemetry.exporter.prometheus_remote_write.receiver import Histogram, Receiver
from opentelemetry.exporter.prometheus_remote_write.receiver.page import Page
from opentelemetry.exporter.prometheus_remote_write.receiver.store import Store
from tests.receiver.messages import NOW, post, request, series
from tests.receiver.pushes import Clock, classic, exports, point, push, rejection


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(clock):
    return Store(clock=clock)


def ask(store, path, *parameters):
    answer = Page(store).get(f"{path}?{urlencode(parameters)}")
    return None if answer is None else json.loads(answer.body)


def metric(store, name, *wanted):
    return ask(store, "/view/metric", ("name", name), *(("where", each) for each in wanted))


def two_routes(at, count):
    return [
        *classic("latency", (count, count, count, count), at, route="/a", job="shop"),
        *classic("latency", (0, 0, count, count), at, route="/b", job="shop"),
    ]


def test_list_has_each_metric_once_with_where_it_comes_from(store, clock):
    exports(
        store,
        clock,
        lambda at: [
            *two_routes(at, 0),
            point("orders_total", 1.0, at, job="shop", otel_scope_name="app"),
            point("orders_total", 1.0, at, job="other", otel_scope_name="app"),
            point("target_info", 1.0, at, job="shop"),
        ],
    )
    found = ask(store, "/view/metrics")
    assert [(each["name"], each["type"], each["series"]) for each in found["metrics"]] == [
        ("latency", "histogram", 12),
        ("orders_total", "counter", 2),
    ]
    assert found["metrics"][1]["groups"] == [
        {"job": "other", "scope": "app", "series": 1},
        {"job": "shop", "scope": "app", "series": 1},
    ]
    assert found["has_plots"] is True
    assert found["state"]["series"] == 15


def test_counter_has_a_line_of_its_rate_for_each_stream(store, clock):
    exports(
        store,
        clock,
        *(
            lambda at, n=n: [point("orders_total", 10.0 * n, at, kind="a"), point("orders_total", 0.0, at, kind="b")]
            for n in range(4)
        ),
    )
    found = metric(store, "orders_total")
    assert [(each["label"], each["values"]) for each in found["plot"]["lines"]] == [
        ("kind=a", [2.0, 2.0, 2.0]),
        ("kind=b", [0.0, 0.0, 0.0]),
    ]
    assert found["promql"] == "rate(orders_total[20s])"
    assert [(row["labels"], row["value"], row["rate"]) for row in found["table"]] == [
        ([["kind", "a"]], 30.0, 2.0),
        ([["kind", "b"]], 0.0, 0.0),
    ]


def test_gauge_has_a_line_of_its_values(store, clock):
    exports(store, clock, *(lambda at, n=n: [point("depth", float(n), at)] for n in (3, 5)))
    found = metric(store, "depth")
    assert found["plot"]["lines"] == [{"label": "", "times": [NOW, NOW + 5000], "values": [3.0, 5.0]}]
    assert found["promql"] == "depth"


def test_no_more_than_fifty_lines_are_drawn_those_with_the_highest_values(store):
    store(push(*(point("depth", float(number), queue=f"{number:03}") for number in range(120))))
    found = metric(store, "depth")
    assert found["plot"]["more"] == 70
    assert [each["label"] for each in found["plot"]["lines"]] == [f"queue={number:03}" for number in range(70, 120)]
    assert (len(found["table"]), found["more"]) == (100, 20)


def test_histogram_has_quantiles_a_rate_and_the_growth_of_each_bucket(store, clock):
    exports(store, clock, *(lambda at, n=n: two_routes(at, 10 * n) for n in range(4)))
    plot = metric(store, "latency")["plot"]
    assert plot["times"] == [NOW + 5000, NOW + 10_000, NOW + 15_000]
    assert plot["buckets"] == [[0.0, 1.0], [2.0, 5.0]]
    assert plot["counts"] == [[10.0, 10.0, 10.0], [10.0, 10.0, 10.0]]
    assert plot["quantiles"]["p50"] == [1.0, 1.0, 1.0]
    assert plot["rate"] == [4.0, 4.0, 4.0]


def test_native_histogram_has_the_same(store, clock):
    def native(count, at):
        return Histogram(at, 2 * count, 1.0, 0, positive_spans=(Span(0, 1), Span(1, 1)), positive_counts=(count, count))

    exports(store, clock, *(lambda at, n=n: [point("latency", native(10 * n, at))] for n in range(4)))
    found = metric(store, "latency", "a=b") and metric(store, "latency")
    assert found["plot"]["buckets"] == [[0.5, 1.0], [2.0, 4.0]]
    assert found["plot"]["counts"] == [[10.0, 10.0, 10.0], [10.0, 10.0, 10.0]]
    assert found["plot"]["rate"] == [4.0, 4.0, 4.0]
    assert found["promql"] == "histogram_quantile(0.95, sum(rate(latency[20s])))"


def test_facets_count_what_would_be_shown_and_filter(store, clock):
    exports(
        store,
        clock,
        lambda at: [
            point("hits_total", 1.0, at, route="/a", code="200"),
            point("hits_total", 1.0, at, route="/a", code="500"),
            point("hits_total", 1.0, at, route="/b"),
        ],
    )
    found = metric(store, "hits_total", "route=/a")
    facets = {
        each["label"]: [(v["value"], v["streams"], v["wanted"]) for v in each["values"]] for each in found["facets"]
    }
    assert facets == {
        "code": [("200", 1, False), ("500", 1, False)],
        "route": [("/a", 2, True), ("/b", 1, False)],
    }
    assert found["streams"] == 2
    assert metric(store, "hits_total", "route=/a", "code=500", "code=200")["streams"] == 2
    assert metric(store, "hits_total", "code=")["streams"] == 1
    assert metric(store, "hits_total", "route=/none")["streams"] == 0


def test_query_has_what_is_wanted_escaped():
    store = Store()
    store(push(*classic("latency", (1, 1, 1, 1)), point('my.metric"', 1.0)))
    assert metric(store, "latency", 'a=x"\\\n', "b=1.5", "b=2")["promql"] == (
        'histogram_quantile(0.95, sum by (le) (rate(latency_bucket{a="x\\"\\\\\\n", b=~"1\\\\.5|2"}[4s])))'
    )
    assert metric(store, 'my.metric"', "http.route=/")["promql"] == '{"my.metric\\"", "http.route"="/"}'


def test_exemplars_come_the_last_one_first(store):
    old, new = (Exemplar((("trace_id", name),), 0.5, NOW + at) for name, at in (("a", 0), ("b", 1)))
    store(push(point("hits_total", 1.0, exemplars=(old, new))))
    assert [each["labels"] for each in metric(store, "hits_total")["exemplars"]] == [
        [["trace_id", "b"]],
        [["trace_id", "a"]],
    ]


def test_what_json_has_no_number_for_is_left_out(store):
    store(push(point("depth", math.inf)))
    assert metric(store, "depth")["plot"]["lines"][0]["values"] == [None]


def test_senders_pushes_and_rejections_are_the_second_view(store, clock):
    exports(store, clock, *[lambda at: [point("target_info", 1.0, at, job="shop", instance="a", version="7")]] * 2)
    store(rejection("labels are not sorted"))
    found = ask(store, "/view/senders")
    [target] = found["targets"]
    assert (target["job"], target["instance"], target["interval"], target["info"]) == (
        "shop",
        "a",
        5000,
        [["version", "7"]],
    )
    assert [(each["from"], each["series"], each["protocol"]) for each in found["pushes"]] == [("shop a", 1, "1.0")] * 2
    assert [(each["status"], each["reason"]) for each in found["rejections"]] == [(400, "labels are not sorted")]


def test_page_says_what_went_and_what_is_not_kept(clock):
    store = Store(keep_series=2, clock=clock)
    exports(store, clock, *(lambda at, name=name: [point(name, 1.0, at)] for name in "abc"))
    store(push(*(point(name, 1.0, NOW + 99_000) for name in "xyz")))
    state = ask(store, "/view/metrics")["state"]
    assert (state["keep_series"], state["keep"], state["forgotten"], state["passed_over"]) == (2, 900.0, 2, 2)


@pytest.fixture
def running(store):
    with Receiver(listener=store, pages=Page(store)) as receiver:
        yield receiver


def get(receiver, path, **headers):
    return urllib3.request("GET", receiver.page.rstrip("/") + path, headers=headers, retries=False)


def test_page_may_load_nothing_from_elsewhere_and_run_no_script_of_a_label(running):
    page = get(running, "/")
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = dict(part.strip().split(" ", 1) for part in page.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert b"<script>" not in page.data
    assert b"http://" not in page.data
    assert b"https://" not in page.data


def test_plotly_js_comes_from_the_wheel(running):
    answer = get(running, "/static/plotly.js")
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert b"plotly.js" in answer.data[:200]


@pytest.mark.parametrize(
    "path",
    ["/static/../page.py", "/static/%2e%2e/page.py", "/etc/passwd", "/static/", "/view/none", "/view/metric?name=none"],
)
def test_there_is_nothing_at_other_addresses(running, path):
    assert get(running, path).status == 404


def test_browser_that_opens_the_address_for_pushes_is_told_where_the_page_is(running):
    answer = get(running, "/api/v1/write")
    assert (answer.status, answer.data) == (405, b"method GET is not POST; what arrives is shown at /\n")


def test_too_many_conditions_are_refused(running):
    assert get(running, "/view/metric?" + "&".join(["where=a"] * 200)).status == 400


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_page_elsewhere_reads_nothing(running, headers):
    for path in ("/", "/view/metrics", "/view/events"):
        assert get(running, path, **headers).status == 403
    assert running.rejected == []


def test_no_page_is_shown_under_a_name_that_the_receiver_does_not_know():
    with Receiver("0.0.0.0", pages=Page(Store())) as receiver:
        assert get(receiver, "/", Host="evil.example").status == 403
        assert get(receiver, "/", Host=f"127.0.0.1:{receiver.port}").status == 200
        assert get(receiver, "/", Host="10.1.2.3:9009").status == 200


def test_head_has_no_body(running):
    answer = urllib3.request("HEAD", running.page, retries=False)
    assert (answer.status, answer.data) == (200, b"")


def test_event_comes_with_each_push_until_the_receiver_ends(store):
    with (
        Receiver(listener=store, pages=Page(store)) as receiver,
        socket.create_connection(("127.0.0.1", receiver.port), timeout=60) as client,
    ):
        client.sendall(b"GET /view/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        events = (line for line in client.makefile("rb") if line.startswith(b"data:"))
        assert next(events) == b"data: 0\n"
        post(receiver, request(series()))
        assert next(events) == b"data: 1\n"
        receiver.close()
        assert list(events) == []
