"""What is added up of pushes, what limits would refuse of it, and how it looks as text."""

from __future__ import annotations

import json
import math
import struct
from collections import Counter
from email.message import Message as Headers

import pytest

from opentelemetry.exporter.prometheus_remote_write.diagnose import cost_report
from opentelemetry.exporter.prometheus_remote_write.diagnose.dropped_lines import dropped
from opentelemetry.exporter.prometheus_remote_write.diagnose.pushes import Pushes
from opentelemetry.exporter.prometheus_remote_write.diagnose.receiver_limits import PRESETS, ReceiverLimits, refusals
from opentelemetry.exporter.prometheus_remote_write.diagnose.text_format import number, text_format
from opentelemetry.exporter.prometheus_remote_write.errors import SeriesLimitExceeded, Untranslatable
from opentelemetry.exporter.prometheus_remote_write.receiver import (
    Histogram,
    Received,
    ReceivedMetadata,
    RejectedRequest,
    Sample,
    Series,
)
from opentelemetry.exporter.prometheus_remote_write.translation.dropped_points import DroppedPoints

NOW = 1_795_650_000_000
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
COUNTER = ReceivedMetadata("counter", "Orders.", "")
SECONDS = ReceivedMetadata("histogram", "How long.", "seconds")


def labels(name, instance="1", **more):
    return tuple(sorted({"__name__": name, "job": "shop", "instance": instance, **more}.items()))


def series(name="orders_total", value=1.0, at=NOW, metadata=COUNTER, **more):
    return Series(labels(name, **more), (Sample(value, at),), metadata=metadata)


def request(*all_series, body=b"x" * 100, repeated=False, families=None, protocol="2.0"):
    return Received("/", Headers(), body, 1, protocol, all_series, families or {}, repeated)


def pushed(*requests):
    pushes = Pushes()
    for each in requests:
        pushes.add(each)
    return pushes


def test_last_push_of_each_process_is_what_counts():
    pushes = pushed(
        request(series(table="1")),
        request(series(table="1", at=NOW + 1), series(table="2", at=NOW + 1)),
        request(series(table="3", at=NOW + 1)),  # of the same push
        request(series(instance="2", at=NOW + 5)),
    )
    (metric,) = pushes.metrics()
    assert (metric.name, metric.metadata, metric.series, metric.samples, metric.first) == (
        "orders_total",
        COUNTER,
        4,
        4,
        2,
    )
    assert metric.bytes == 300
    assert (pushes.count, pushes.processes, pushes.protocols) == (3, 2, {"2.0"})


def test_metric_grows_from_the_first_push_that_has_it():
    pushes = pushed(
        request(series("up")),
        request(series("up", at=NOW + 1), series(at=NOW + 1)),
        request(series(at=NOW + 2), series(at=NOW + 2, table="2")),
    )
    assert {metric.name: (metric.first, metric.series) for metric in pushes.metrics()} == {
        "orders_total": (1, 2),
        "up": (1, 0),
    }


def test_repeated_requests_count_once_and_refused_ones_are_counted_by_reason():
    pushes = pushed(
        request(series()), request(series(), repeated=True), RejectedRequest("/", Headers(), b"", 1, 400, "no __name__")
    )
    assert pushes.count == 1
    assert pushes.rejected == {"no __name__": 1}


@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
def test_series_of_a_histogram_are_one_metric(protocol):
    metadata = SECONDS if protocol == "2.0" else None
    parts = [
        series(f"duration_seconds{suffix}", metadata=metadata, **more)
        for suffix, more in (("_bucket", {"le": "1"}), ("_bucket", {"le": "+Inf"}), ("_sum", {}), ("_count", {}))
    ]
    known = {} if metadata else {"duration_seconds": SECONDS}
    if not metadata:
        (guessed,) = pushed(request(*parts, protocol=protocol)).metrics()
        assert (guessed.name, guessed.metadata.type, guessed.series) == ("duration_seconds", "histogram", 4)
    pushes = pushed(request(*parts, protocol=protocol), request(families=known, protocol=protocol))
    (metric,) = pushes.metrics()
    assert (metric.name, metric.metadata, metric.series) == ("duration_seconds", SECONDS, 4)


def test_zero_that_a_series_begins_with_is_no_sample_of_a_push():
    began = Series(labels("orders_total"), (Sample(0.0, NOW - 9), Sample(1.0, NOW)), metadata=COUNTER)
    assert pushed(request(began)).metrics()[0].samples == 1


def test_series_that_has_ended_has_no_value():
    pushes = pushed(request(series(), series(table="2")), request(series(value=STALE, at=NOW + 1)))
    assert list(pushes.latest) == [labels("orders_total", table="2")]


def test_labels_are_ordered_by_their_values():
    pushes = pushed(request(*(series(table=str(number), city="x") for number in range(3))))
    assert pushes.label_values() == [("table", 3), ("city", 1), ("instance", 1), ("job", 1)]


def test_text_is_that_of_prometheus():
    native = Series(
        labels("size_bytes"),
        (),
        (Histogram(NOW, 3, 4.5, 0),),
        metadata=ReceivedMetadata("histogram", 'A "size".\n', "bytes"),
    )
    pushes = pushed(
        request(
            series("b_seconds_bucket", 2.0, le="+Inf", metadata=SECONDS),
            series("b_seconds_bucket", 1.0, le="2", metadata=SECONDS),
            series("b_seconds_bucket", 1.0, le="0.5", metadata=SECONDS),
            series("b_seconds_count", 2.0, metadata=SECONDS),
            series("b_seconds_sum", 3.0, metadata=SECONDS),
            series("a_total", math.inf, path='\\ "x"\n', metadata=ReceivedMetadata("counter", "", "")),
            native,
            series("http.rate", math.nan, metadata=ReceivedMetadata("gauge", "Rate.", ""), **{"http.route": "/"}),
            series("odd", metadata=ReceivedMetadata("unknown", "", "")),
        )
    )
    assert "\n".join(text_format(pushes)).splitlines() == [
        "# TYPE a_total counter",
        'a_total{instance="1",job="shop",path="\\\\ \\"x\\"\\n"} +Inf',
        "# HELP b_seconds How long.",
        "# TYPE b_seconds histogram",
        "# UNIT b_seconds seconds",
        'b_seconds_bucket{instance="1",job="shop",le="0.5"} 1.0',
        'b_seconds_bucket{instance="1",job="shop",le="2"} 1.0',
        'b_seconds_bucket{instance="1",job="shop",le="+Inf"} 2.0',
        'b_seconds_sum{instance="1",job="shop"} 3.0',
        'b_seconds_count{instance="1",job="shop"} 2.0',
        '# HELP "http.rate" Rate.',
        '# TYPE "http.rate" gauge',
        '{"http.rate","http.route"="/",instance="1",job="shop"} NaN',
        'odd{instance="1",job="shop"} 1.0',
        '# HELP size_bytes A "size".\\n',
        "# TYPE size_bytes histogram",
        "# UNIT size_bytes bytes",
        'size_bytes_bucket{instance="1",job="shop",le="+Inf"} 3.0',
        'size_bytes_sum{instance="1",job="shop"} 4.5',
        'size_bytes_count{instance="1",job="shop"} 3.0',
        "# EOF",
    ]


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1.0"), (0.1, "0.1"), (-math.inf, "-Inf"), (1e300, "1e+300"), (5e-324, "5e-324")]
)
def test_number_is_written_so_that_nothing_is_lost(value, text):
    assert number(value) == text
    assert float(text) == value


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (ReceiverLimits(), []),
        (ReceiverLimits(series=2), []),
        (ReceiverLimits(series=1), [("1 series", "", 1, "there are 2")]),
        (ReceiverLimits(labels=4), []),
        (ReceiverLimits(labels=3), [("3 labels of a series", "orders_total", 2, "it has 4")]),
        (
            ReceiverLimits(label_value_length=11),
            [("11 characters of a label's value", "orders_total", 2, "__name__ has 12")],
        ),
        (
            ReceiverLimits(label_name_length=7),
            [("7 characters of a label's name", "orders_total", 2, "__name__... has 8")],
        ),
        (PRESETS["cortex"], []),
        (PRESETS["mimir"], []),
        (PRESETS["none"], []),
    ],
)
def test_limits_are_told_with_the_metrics_that_exceed_them(limits, expected):
    pushes = pushed(request(series(table="1"), series(table="2")))
    assert [tuple(refusal) for refusal in refusals(pushes.latest, limits)] == expected


def preview(pushes, interval=60_000, dropped_lines=(), refused=()):
    return cost_report.Preview(pushes, 10.0, interval, dropped_lines, refused)


def test_report_tells_everything():
    pushes = pushed(
        request(series()),
        request(series(at=NOW + 1), series(at=NOW + 1, table="2"), series("up", at=NOW + 1, metadata=None)),
        RejectedRequest("/", Headers(), b"", 1, 400, "no \x1b[31m__name__"),
    )
    refused = list(refusals(pushes.latest, ReceiverLimits(series=1)))
    found = preview(pushes, dropped_lines=["Metric 'a': delta"], refused=refused)
    assert list(cost_report.text(found)) == [
        "2 pushes of 1 process in 10.0 s (Remote Write 2.0)",
        "",
        "METRIC        TYPE     UNIT  SERIES  SAMPLES  BYTES",
        "orders_total  counter             2        2     72",
        "    Orders.",
        "up            unknown             1        1     28",
        "total                             3        3    100",
        "",
        "at its interval of 60 s: 4,320 samples and 144 kB a day",
        "labels with most values: instance (1), job (1), table (1)",
        "grows: orders_total had 1 series at first, and has 2",
        "dropped: Metric 'a': delta",
        "refused by the preview's own receiver, 1 time: no \N{REPLACEMENT CHARACTER}[31m__name__",
        "refused by the limit of 1 series: 2 series; there are 3",
    ]
    document = json.loads(json.dumps(cost_report.document(found)))
    assert document["total"] == {"series": 3, "samples": 3, "bytes": 100}
    assert document["a_day"] == {"samples": 4320, "bytes": 144_000}
    assert document["metrics"][0] == {
        "name": "orders_total",
        "type": "counter",
        "unit": "",
        "help": "Orders.",
        "series": 2,
        "samples": 2,
        "bytes": 72,
    }
    assert document["growing"] == ["orders_total"]
    assert document["refused_by_limits"][0]["limit"] == "1 series"


def test_report_of_nothing_and_of_one_push_at_the_end():
    first, reason = cost_report.text(preview(Pushes()))
    assert first == "0 pushes of 0 processes in 10.0 s"
    assert reason.startswith("nothing was pushed: ")
    lines = list(cost_report.text(preview(pushed(request(series())), interval=0)))
    assert "one push at the end: 1 sample, 100 bytes" in lines


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Metric 'a': it is delta. Logged once; everything dropped is counted.\n", "Metric 'a': it is delta"),
        ("10:00 WARNING x: Metric 'a': b. Logged once; all", "Metric 'a': b"),
        ("Metrics were not delivered: http://x answered 400\n", "Metrics were not delivered: http://x answered 400"),
        ("Metric systems are great\n", None),
        ("hello\n", None),
    ],
)
def test_what_a_line_says_was_dropped_is_found(line, expected):
    assert dropped(line) == expected


def test_what_the_exporter_logs_is_found(caplog):
    points = DroppedPoints()
    points.drop("orders", Untranslatable("delta", "it is delta"))
    points.drop("visits", SeriesLimitExceeded(10))
    points.log_exceeded(10, lambda: Counter(orders=10))
    assert [dropped(message) for message in caplog.messages] == [
        "Metric 'orders': it is delta",
        "The process has reached max_series=10, so 1 stream is dropped (of 'visits': 1)",
    ]
