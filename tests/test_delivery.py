"""What holds for delivery whatever is retried and kept."""

from __future__ import annotations

import threading
from collections import Counter
from types import SimpleNamespace

import pytest

from opentelemetry.exporter.prometheus_remote_write.delivery import Delivery
from opentelemetry.exporter.prometheus_remote_write.encoding.request import PROTOCOL_1, Request
from opentelemetry.exporter.prometheus_remote_write.errors import Rejected, Retryable, Unsendable
from opentelemetry.exporter.prometheus_remote_write.settings import Settings

SOON = 1e9  # by a clock that stands at 0


class Receiver:
    """Takes what it is sent, unless it is away or does not like it."""

    def __init__(self):
        self.bodies = []
        self.attempts = []
        self.timeouts = []
        self.error = None
        self.disliked = frozenset()
        self._lock = threading.Lock()

    def post(self, body, headers, timeout):
        assert headers["X-Prometheus-Remote-Write-Version"] == "0.1.0"
        with self._lock:
            self.attempts.append(body)
            self.timeouts.append(timeout)
            if self.error:
                raise self.error
            if body in self.disliked:
                raise Rejected("not so", status=422)
            self.bodies.append(body)
        return SimpleNamespace(status=204, headers={})

    def renew_secrets(self):
        pass


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def receiver():
    return Receiver()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make_delivery(receiver, clock):
    def make(**settings):
        given = {"timeout": 30.0, "min_backoff": 1, "max_backoff": 1, "max_concurrent_requests": 1} | settings
        return Delivery(receiver, Settings(**given), bytes, clock=clock, random=lambda: 0.0)

    return make


def export(*bodies):
    return [Request(body, PROTOCOL_1, 10, 0, 0, batch=number) for number, body in enumerate(bodies)]


def counts(delivery):
    return +Counter(delivery.samples)


def test_requests_arrive_in_order(make_delivery, receiver, caplog):
    delivery = make_delivery()
    assert delivery.deliver(export(b"a", b"b", b"c"), SOON)
    assert receiver.bodies == [b"a", b"b", b"c"]
    assert counts(delivery) == {"accepted": 30}
    assert not caplog.records


@pytest.mark.parametrize("concurrent", [1, 2, 8])
def test_all_requests_arrive_once_however_many_are_under_way_together(make_delivery, receiver, concurrent):
    bodies = [str(number).encode() for number in range(50)]
    delivery = make_delivery(max_concurrent_requests=concurrent)
    assert delivery.deliver(export(*bodies), SOON)
    assert sorted(receiver.bodies) == sorted(bodies)
    assert counts(delivery) == {"accepted": 500}


def test_nothing_to_deliver_is_delivered(make_delivery, receiver):
    assert make_delivery().deliver([], SOON)
    assert not receiver.attempts


def test_a_request_that_is_refused_for_good_does_not_stop_the_others_and_is_not_sent_again(
    make_delivery, receiver, caplog
):
    receiver.disliked = {b"b"}
    delivery = make_delivery()
    assert not delivery.deliver(export(b"a", b"b", b"c"), SOON)
    assert receiver.attempts == [b"a", b"b", b"c"]
    assert counts(delivery) == {"accepted": 20, "rejected": 10}
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert delivery.deliver(export(b"d"), SOON)
    assert receiver.attempts[3:] == [b"d"]


@pytest.mark.parametrize(
    "error", [Retryable("away"), Retryable("busy", status=503), Unsendable("no certificate")], ids=str
)
def test_what_was_not_delivered_is_delivered_first_and_in_order_when_the_receiver_is_back(
    make_delivery, receiver, clock, error
):
    delivery = make_delivery()
    receiver.error = error
    for number in (1, 2):
        bodies = [f"{number}{letter}".encode() for letter in "ab"]
        assert not delivery.deliver(export(*bodies), deadline=clock.now + 5, patience=clock.now)
        clock.now += 60
    assert delivery.waiting == 40

    receiver.error = None
    assert delivery.deliver(export(b"3a"), deadline=SOON)
    assert receiver.bodies == [b"1a", b"1b", b"2a", b"2b", b"3a"]
    assert delivery.waiting == 0
    assert counts(delivery) == {"accepted": 50}


def test_what_may_not_be_kept_is_dropped_and_counted(make_delivery, receiver, clock):
    delivery = make_delivery(max_buffered_bytes=0)
    receiver.error = Retryable("away")
    clock.now = 10.0
    assert not delivery.deliver(export(b"a"), deadline=clock.now)
    assert delivery.waiting == 0
    assert counts(delivery) == {"not kept": 10}
    receiver.error = None
    assert delivery.deliver(export(b"b"), SOON)
    assert receiver.bodies == [b"b"]


@pytest.mark.parametrize(
    ("timeout", "deadline", "given"),
    [
        pytest.param(30.0, 100.0, 30.0, id="the time of a request"),
        pytest.param(30.0, 12.5, 12.5, id="what is left of the export's time"),
        pytest.param(float("inf"), 100.0, 100.0, id="no time of a request"),
    ],
)
def test_an_attempt_has_the_lesser_of_two_times(make_delivery, receiver, timeout, deadline, given):
    assert make_delivery(timeout=timeout).deliver(export(b"a"), deadline)
    assert receiver.timeouts == [given]


@pytest.mark.parametrize("deadline", [0.0, -1.0])
def test_without_time_nothing_is_sent_and_all_is_kept(make_delivery, receiver, deadline):
    delivery = make_delivery()
    assert not delivery.deliver(export(b"a"), deadline)
    assert not receiver.attempts
    assert delivery.waiting == 10


def test_after_the_end_nothing_is_sent(make_delivery, receiver):
    delivery = make_delivery()
    receiver.error = Retryable("away")
    delivery.deliver(export(b"a"), deadline=5.0, patience=0.0)
    receiver.error = None
    attempts = len(receiver.attempts)
    delivery.close()
    delivery.deliver(export(b"b"), SOON)
    assert len(receiver.attempts) == attempts
    assert counts(delivery)["at exit"] == 20
