from __future__ import annotations

from opentelemetry.exporter.prometheus_remote_write.receiver.lines import push_lines, rejection_line
from opentelemetry.exporter.prometheus_remote_write.receiver.store import Store
from tests.receiver.messages import NOW
from tests.receiver.pushes import Clock, classic, exports, point, push, rejection


def lines(store, pushed):
    store(pushed)
    return list(push_lines(store, pushed))


def test_push_is_one_line_and_one_for_each_metric_in_it():
    clock = Clock()
    store = Store(clock=clock)
    target = {"job": "shop", "instance": "a"}

    def export(at, orders, observed):
        return [
            *classic("latency_seconds", (0, observed, observed, observed), at, **target),
            point("orders_total", orders, at, **target),
            point("queue_depth", 3.0, at, queue="a", **target),
            point("queue_depth", 7.0, at, queue="b", **target),
            point("target_info", 1.0, at, **target),
        ]

    exports(store, clock, lambda at: export(at, 0, 0))
    clock.now += 5
    assert lines(store, push(*export(NOW + 5000, 12, 20))) == [
        "push 2: shop (1 process), protocol 1.0, 10 series, 4 bytes",
        "  latency_seconds  histogram, 6 series, 20 in all, 4/s, p50 1.5 s, p95 1.95 s",
        "  orders_total     counter, 1 series, 12 in all, 2.4/s",
        "  queue_depth      unknown, 2 series, 3 to 7",
    ]


def test_push_that_came_before_says_so():
    store = Store()
    lines(store, push(point("up", 1.0)))
    assert lines(store, push(point("up", 1.0), repeated=True)) == [
        "push 2: no job (1 process), protocol 1.0, 1 series, 4 bytes, the same again",
        "  up  unknown, 1 series, 1",
    ]


def test_names_and_reasons_are_harmless_on_a_terminal():
    [first, second] = lines(Store(), push(point("\x1b[2Jup", 1.0, job="\x1b]0;x\x07")))
    assert first.startswith(r"push 1: \x1b]0;x\x07 (1 process)")
    assert second == r"  \x1b[2Jup  unknown, 1 series, 1"
    assert rejection_line(rejection("no\n\x1b[2J")) == r"rejected with 400: no\n\x1b[2J"


def test_name_that_is_absurdly_long_is_cut():
    assert len(lines(Store(), push(point("x" * 100_000, 1.0)))[1]) < 150
