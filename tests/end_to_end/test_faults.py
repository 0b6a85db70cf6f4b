"""Everything that can go wrong between the exporter and a receiver, and what is left when it is well again.

For each fault: nothing is raised and nothing printed, the log says one useful thing in one line, all counts add up to
what was produced, and the final values arrive.
"""

import io
import logging
import math
import socket
import time
from collections import Counter
from contextlib import contextmanager, redirect_stderr
from enum import Enum
from typing import NamedTuple

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from tests.end_to_end.faulty_receiver import (
    Fault,
    FaultyReceiver,
    answering,
    closing,
    dripping,
    in_turn,
    resetting,
    resetting_after,
    saying,
    silent,
    stored_then,
    well,
)

SECRET = "s3cr3t-passw0rd"
OURS = "opentelemetry.exporter.prometheus_remote_write"
AT_FIRST = ("The first attempt to deliver metrics failed: ", "Metrics arrive at ")
SERIES = 4  # two of a counter, a gauge, and target_info


class Fate(Enum):
    """What becomes of samples that meet a fault."""

    KEPT = "they are sent again and arrive"
    REJECTED = "the receiver does not want them"
    TAKEN = "they arrive all the same"


class Case(NamedTuple):
    fault: Fault
    fate: Fate
    said: str  # in the one line of the log
    hangs: bool


def case(name, fault, fate, said="", *, hangs=False):
    return pytest.param(Case(fault, fate, said, hangs), id=name)


KEPT, REJECTED, TAKEN = Fate
OK = b"HTTP/1.1 204 No Content\r\n"
ERROR = b"HTTP/1.1 503 Busy\r\n"
WRITTEN = {
    f"X_Prometheus_Remote_Write_{kind}_Written": str(number)
    for kind, number in (("Samples", SERIES), ("Histograms", 0), ("Exemplars", 0))
}
WRITTEN_LINES = "".join(f"{name.replace('_', '-')}: {text}\r\n" for name, text in WRITTEN.items()).encode()

ON_THE_WAY = [
    case("the connection is reset while the request is sent", resetting, KEPT, "without an answer"),
    case("the connection is reset instead of an answer", resetting_after(b""), KEPT, "without an answer"),
    case("the connection is closed without an answer", closing, KEPT, "closed the connection without an answer"),
    case("the receiver says nothing", silent, KEPT, "did not answer within", hangs=True),
    case("an empty answer", saying(b""), KEPT, "closed the connection"),
    case("an empty line", saying(b"\r\n\r\n"), KEPT, "not HTTP"),
    case("a whole status and a header cut off", saying(OK + b"X-Foo: b"), KEPT, "in the middle of its answer"),
    case("a head without its last line", saying(OK + WRITTEN_LINES), KEPT, "in the middle of its answer"),
    case("stored, then half a head", stored_then(saying(OK + WRITTEN_LINES[:-9])), KEPT, "in the middle of its answer"),
    case("garbage", saying(bytes(range(256))), KEPT, "not HTTP"),
    case("another protocol's greeting", saying(b"220 mail.example ESMTP\r\n"), KEPT, "not HTTP"),
    case("a TLS alert", saying(b"\x15\x03\x01\x00\x02\x02\x46"), KEPT, "not HTTP"),
    case("half a status line", saying(b"HTTP/1.1 20"), KEPT, "not HTTP"),
    case("a status that is no number", saying(b"HTTP/1.1 abc Hm\r\n\r\n"), KEPT, "not HTTP"),
    case("a status of four digits", saying(b"HTTP/1.1 2040 Hm\r\n\r\n"), KEPT, "not HTTP"),
    case("a line without an end", dripping(b"HTTP/1.1 503 ", b"x"), KEPT, "did not answer", hangs=True),
    case("headers without an end", dripping(ERROR, b"X-More: more\r\n"), KEPT, "did not answer", hangs=True),
    case("a head that drips", dripping(b"", b"H"), KEPT, "did not answer", hangs=True),
    case("a reset in the middle of the head", resetting_after(b"HTTP/1.1 204 No"), KEPT, "without an answer"),
    case("interim answers", dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), KEPT, "did not answer", hangs=True),
    case("a body that drips", dripping(ERROR + b"Content-Length: 1000\r\n\r\n", b"x"), KEPT, "503", hangs=True),
    case("a body that is cut", saying(ERROR + b"Content-Length: 1000\r\n\r\nno place"), KEPT, "503"),
    case("a reset in the middle of the body", resetting_after(ERROR + b"Content-Length: 99\r\n\r\nn"), KEPT, "503"),
    case("chunks that are none", saying(ERROR + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), KEPT, "503"),
    case("a length that is none", saying(ERROR + b"Content-Length: many\r\n\r\n"), KEPT, "503"),
    case("stored, then reset", stored_then(resetting), KEPT, "without an answer"),
    case("stored, then an error", stored_then(answering(500, b"lost it")), KEPT, "500"),
    case("stored, but the answer is garbage", stored_then(saying(b"what?")), KEPT, "not HTTP"),
]
ANSWERS = [
    *[
        case(f"{status}", answering(status, b"busy"), KEPT, f"{status}")
        for status in (500, 501, 502, 503, 504, 507, 599)
    ],
    case("429", answering(429, b"slow down"), KEPT, "OTEL_EXPORTER_PRW_INTERVAL"),
    case("429, wait for nothing", answering(429, Retry_After="0"), KEPT, "429"),
    case("503, wait for what has passed", answering(503, Retry_After="Fri, 31 Dec 1999 23:59:59 GMT"), KEPT, "503"),
    case("503, wait for nonsense", answering(503, Retry_After="-5 ¾"), KEPT, "503"),
    case("a status beyond all", answering(999), KEPT, "999"),
    case("a body of a megabyte", answering(503, b"x" * 1_000_000), KEPT, "503"),
    case(
        "a body of many lines",
        answering(503, b"one\ntwo\r\nthree\x1b[31m\xff\xfe\x00\xe2\x80\xa8four"),
        KEPT,
        "one two",
    ),
    case("a body with our password", answering(503, f"user:{SECRET} ?token={SECRET}".encode()), KEPT, "***"),
    case("a body that says it is compressed", answering(503, b"no", Content_Encoding="gzip"), KEPT, "503"),
    *[
        case(f"{status}", answering(status, b"no"), REJECTED, f"{status}")
        for status in (304, 400, 402, 406, 408, 409, 410, 411, 413, 414, 415, 418, 422, 425, 426, 428, 431, 451)
    ],
    case("401", answering(401), REJECTED, "OTEL_EXPORTER_PRW_PASSWORD"),
    case("403", answering(403), REJECTED, "OTEL_EXPORTER_PRW_HEADERS"),
    case("404", answering(404), REJECTED, "OTEL_EXPORTER_PRW_ENDPOINT"),
    case("405", answering(405), REJECTED, "OTEL_EXPORTER_PRW_ENDPOINT"),
    case("400 out of order", answering(400, b"out of order sample"), REJECTED, "service.instance.id"),
    case("400 too large", answering(400, b"body too large"), REJECTED, "too large"),
    case(
        "a redirect",
        answering(307, Location="http://elsewhere.example/x?token=1"),
        REJECTED,
        "http://elsewhere.example",
    ),
    case("a redirect to nowhere", answering(302), REJECTED, "302"),
    case(
        "nothing was written",
        answering(204, **{**WRITTEN, "X_Prometheus_Remote_Write_Samples_Written": "0"}),
        REJECTED,
        "did not write 4 samples",
    ),
    case(
        "stored, then the answer's body is cut",
        stored_then(saying(OK[:9] + b"200 OK\r\n" + WRITTEN_LINES + b"Content-Length: 9\r\n\r\nx")),
        TAKEN,
    ),
    case(
        "stored, in an answer of HTTP/1.0", stored_then(saying(b"HTTP/1.0 200 OK\r\n" + WRITTEN_LINES + b"\r\n")), TAKEN
    ),
    case("stored, with a 200 and a page", stored_then(answering(200, b"<html>ok</html>", **WRITTEN)), TAKEN),
    case("stored, with a 202", stored_then(answering(202, **WRITTEN)), TAKEN),
]
FAULTS = ON_THE_WAY + ANSWERS


class Shop:
    """An application with an exporter, and what it knows of what it has produced."""

    def __init__(self, url, **settings):
        self.exporter = PrometheusRemoteWriteMetricsExporter(
            url.replace("http://", f"http://user:{SECRET}@") + f"?token={SECRET}", **settings
        )
        reader = PeriodicExportingMetricReader(self.exporter, export_interval_millis=math.inf)
        self._provider = MeterProvider([reader])
        meter = self._provider.get_meter("shop")
        self._orders = meter.create_counter("orders")
        self._level = meter.create_gauge("level")
        self.exports = 0
        self._not_before = 0.0

    def work(self, timeout=60.0):
        """An interval: something is ordered, and everything is exported; returns whether all was accepted."""
        self.exports += 1
        while time.time() < self._not_before:  # two samples of a series need two milliseconds
            time.sleep(0.001)
        self._not_before = time.time() + 0.002
        self._orders.add(1, {"kind": "a"})
        self._orders.add(2, {"kind": "b"})
        self._level.set(self.exports)
        self._provider.force_flush(timeout * 1000)
        assert self.counts.total() == self.exports * SERIES
        return self.exporter.force_flush()

    def close(self):
        self._provider.shutdown()

    @property
    def counts(self):
        delivery = self.exporter._data_path.delivery
        return +Counter({**delivery.samples, "waiting": delivery.backlog.samples})


@pytest.fixture
def receiver():
    with FaultyReceiver() as receiver:
        yield receiver


@contextmanager
def nothing_printed():
    with redirect_stderr(io.StringIO()) as printed:
        yield
    assert not printed.getvalue()


@pytest.fixture
def open_shop(receiver):
    shops = []

    def make(**settings):
        given = {"min_backoff": 120_000, "max_backoff": 120_000, "disable_zero_samples": True}
        shops.append(Shop(receiver.url, **{**given, **settings}))
        return shops[-1]

    with nothing_printed():
        yield make
        for shop in shops:
            shop.close()


def lines(caplog, level=logging.WARNING):
    """What was said of trouble and its end, but for the lines about the very first attempt and arrival."""
    found = [record for record in caplog.records if record.levelno >= level]
    for record in caplog.records:
        assert record.name.startswith(OURS), f"{record.name} says {record.getMessage()}"
        assert not record.exc_info
        assert record.getMessage().isprintable()
        assert SECRET not in record.getMessage()
        assert len(record.getMessage()) < 1000
    return [record.getMessage() for record in found if not record.getMessage().startswith(AT_FIRST)]


def arrived(receiver, values):
    for name, labels, step in (
        ("orders_total", {"kind": "a"}, 1),
        ("orders_total", {"kind": "b"}, 2),
        ("level", {}, 1),
    ):
        assert receiver.receiver.values(name, **labels) == [step * value for value in values]
    assert not [each for each in receiver.receiver.rejected if "order" in each.reason or "duplicate" in each.reason]


@pytest.mark.parametrize("known", [False, True], ids=["from the beginning", "after a while"])
@pytest.mark.parametrize("case", FAULTS)
def test_a_fault(receiver, open_shop, caplog, case, known):
    caplog.set_level("DEBUG")
    shop = open_shop()
    before = int(known)
    if known:
        assert shop.work()
    receiver.fault = case.fault
    timeout = 0.6 if case.hangs else 60.0
    results = [shop.work(timeout), shop.work(timeout)]
    said = lines(caplog)
    receiver.fault = well

    met = 2 * SERIES
    if case.fate is TAKEN:
        assert results == [True, True]
        assert not said
    else:
        assert results == [False, False]
        assert len(said) == 1
        assert case.said in said[0]
        assert shop.counts[{KEPT: "waiting", REJECTED: "rejected"}[case.fate]] == met
    assert shop.work()
    assert shop.work()
    lost = range(before + 1, before + 3) if case.fate is REJECTED else ()
    arrived(receiver, [value for value in range(1, before + 5) if value not in lost])
    assert shop.counts["waiting"] == 0
    assert len(lines(caplog)) <= len(said) + 1


@pytest.mark.parametrize("case", [each for each in FAULTS if each.values[0].fate is KEPT])
def test_a_fault_that_passes_is_not_noticed(receiver, open_shop, caplog, case):
    shop = open_shop(min_backoff=1, max_backoff=1, **({"timeout": 0.6} if case.hangs else {}))
    receiver.fault = in_turn(case.fault, case.fault)
    assert shop.work()
    assert shop.work()
    arrived(receiver, [1, 2])
    assert not lines(caplog)


def test_a_receiver_that_is_away_for_ten_intervals_gets_all_samples_in_order(receiver, open_shop, caplog):
    caplog.set_level("DEBUG")
    shop = open_shop()
    assert shop.work()
    receiver.go_away()
    assert not any(shop.work() for _ in range(10))
    assert len(lines(caplog)) == 1
    assert "OTEL_EXPORTER_PRW_ENDPOINT" in lines(caplog)[0]
    receiver.come_back()
    assert shop.work()
    arrived(receiver, range(1, 13))
    assert shop.counts == {"accepted": 12 * SERIES}
    assert lines(caplog, logging.INFO)[-1] == "Metrics are delivered again"


@pytest.mark.parametrize(
    ("settings", "values"),
    [({}, [1, 2, 3, 4, 5]), ({"max_buffered_bytes": 0, "max_buffered_age": 0}, [1, 4, 5])],
    ids=["kept", "not kept"],
)
def test_of_five_exports_the_second_and_third_meet_a_receiver_that_is_away(receiver, open_shop, settings, values):
    shop = open_shop(**settings)
    for number in range(1, 6):
        if number == 2:
            receiver.go_away()
        if number == 4:
            receiver.come_back()
        assert shop.work() is (number not in {2, 3})
    arrived(receiver, values)


def test_what_waits_is_sent_as_1_0_when_the_receiver_turns_out_to_speak_nothing_else(receiver, open_shop):
    def only_1_0(visit):
        """As Prometheus 2.42, which takes 2.0 for an empty request."""
        head = visit.connection.recv(4096, socket.MSG_PEEK)
        return (saying(OK + b"\r\n", keep=True) if b"proto=" in head else well)(visit)

    shop = open_shop()
    receiver.go_away()
    assert not any(shop.work() for _ in range(3))
    receiver.fault = only_1_0
    receiver.come_back()
    assert shop.work()
    arrived(receiver, [1, 2, 3, 4])
    assert {each.protocol for each in receiver.receiver.received} == {"1.0"}
    assert shop.counts == {"accepted": 4 * SERIES}


def test_what_is_lost_at_the_end_is_said_and_counted(receiver, open_shop, caplog):
    shop = open_shop()
    receiver.go_away()
    shop.work()
    shop.close()
    assert shop.counts.keys() == {"at exit"}
    assert "Metrics are lost" in lines(caplog)[-1]
