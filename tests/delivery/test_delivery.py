"""What holds for delivery whatever is retried and kept."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.delivery.delivery import Delivery
from opentelemetry.exporter.prometheus_remote_write.delivery.window import Window
from opentelemetry.exporter.prometheus_remote_write.errors import Rejected, Retryable, Unsendable
from opentelemetry.exporter.prometheus_remote_write.model.request import PROTOCOL_1, Request
from opentelemetry.exporter.prometheus_remote_write.model.transport import BaseTransport, Response
from tests import fake_receiver
from tests.fake_receiver import failure, in_turn, refusal, refusing
from tests.thoroughness import scaled

SOON = Window(1e9, 1e9, is_last=True)  # by a clock that stands at 0


class Receiver(BaseTransport):
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
        return Response(204, {})


def last(deadline):
    """The window of an export that no other one follows."""
    return Window(deadline, deadline, is_last=True)


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


@pytest.mark.parametrize(
    ("seconds", "threads"),
    [
        pytest.param(0.001, 1, id="quick answers are waited for by one thread"),
        pytest.param(1.0, 3, id="slow ones by several"),
    ],
)
def test_where_the_application_goes_first_only_a_slow_receiver_is_sent_several_requests_together(
    make_delivery, receiver, clock, seconds, threads
):
    senders = set()
    all_of_them = threading.Barrier(threads)

    def post(body, headers, timeout):
        clock.now += seconds
        if (slow_one := bool(receiver.bodies)) and threads > 1 and threading.get_ident() not in senders:
            all_of_them.wait(60)
        senders.update([threading.get_ident()] if slow_one else [])
        return Receiver.post(receiver, body, headers, timeout)

    delivery = make_delivery(max_concurrent_requests=3)
    receiver.post = post
    bodies = [b"%d" % number for number in range(8)]
    assert delivery.deliver(export(*bodies), Window(1e9, 1e9, gives_way=True))
    assert sorted(receiver.bodies) == bodies
    assert len(senders) == threads


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
        assert not delivery.deliver(export(*bodies), Window(clock.now + 5, retry_until=clock.now))
        clock.now += 60
    assert delivery.backlog.samples == 40

    receiver.error = None
    assert delivery.deliver(export(b"3a"), SOON)
    assert receiver.bodies == [b"1a", b"1b", b"2a", b"2b", b"3a"]
    assert delivery.backlog.samples == 0
    assert counts(delivery) == {"accepted": 50}


def test_what_may_not_be_kept_is_dropped_and_counted(make_delivery, receiver, clock):
    delivery = make_delivery(max_buffered_bytes=0)
    receiver.error = Retryable("away")
    clock.now = 10.0
    assert not delivery.deliver(export(b"a"), last(clock.now))
    assert delivery.backlog.samples == 0
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
    assert make_delivery(timeout=timeout).deliver(export(b"a"), last(deadline))
    assert receiver.timeouts == [given]


@pytest.mark.parametrize("deadline", [0.0, -1.0])
def test_without_time_nothing_is_sent_and_all_is_kept(make_delivery, receiver, deadline):
    delivery = make_delivery()
    assert not delivery.deliver(export(b"a"), last(deadline))
    assert not receiver.attempts
    assert delivery.backlog.samples == 10


def test_after_the_end_nothing_is_sent(make_delivery, receiver):
    delivery = make_delivery()
    receiver.error = Retryable("away")
    delivery.deliver(export(b"a"), Window(5.0, retry_until=0.0))
    receiver.error = None
    attempts = len(receiver.attempts)
    delivery.close()
    delivery.deliver(export(b"b"), SOON)
    assert len(receiver.attempts) == attempts
    assert counts(delivery)["at exit"] == 20


# --- outages, with requests that are real ---


class Outage:
    """A delivery whose clock moves only in waits, and an interval of a minute between exports."""

    def __init__(self, answer=lambda _post: None, **given):
        self.clock = fake_receiver.Clock()
        self.receiver = fake_receiver.Receiver(self.clock, answer)
        self.delivery = Delivery(
            self.receiver,
            Settings(**given),
            fake_receiver.COMPRESS,
            clock=self.clock,
            wait=self.clock.wait,
            random=lambda: 0.0,
        )
        self._produced = 0

    def export(self, value, *batches, native=(), protocol="1.0", timeout=30.0, retries=30.0, is_last=False):
        """One export, with a request for each batch of names; the time until the next goes by."""
        began = self.clock()
        made = [
            fake_receiver.request(
                names, value, batch=number, at=int(value * 1000), protocol=protocol, native=names in native
            )
            for number, names in enumerate((*batches, *native))
        ]
        self._produced += sum(each.size for each in made)
        try:
            window = Window(began + timeout, began + min(retries, timeout), is_last=is_last)
            return self.delivery.deliver(made, window)
        finally:
            assert self.clock() <= began + timeout
            assert self.delivery.samples.total() + self.delivery.backlog.samples == self._produced
            self.clock.now = max(self.clock(), began + 60)


AB, CD = ["a", "b"], ["c", "d"]


@pytest.mark.parametrize("error", [failure(), failure(503), failure(429), failure(500)], ids=str)
@pytest.mark.parametrize("concurrent", [1, 4])
def test_all_samples_of_ten_intervals_arrive_in_order_when_the_receiver_is_back(error, concurrent):
    outage = Outage(max_concurrent_requests=concurrent)
    assert outage.export(1, AB, CD)
    outage.receiver.answer = in_turn(then=error)
    for value in range(2, 12):
        assert not outage.export(value, AB, CD)
    outage.receiver.answer = in_turn()
    assert outage.export(12, AB, CD)
    assert outage.receiver.values == {name: list(range(1, 13)) for name in "abcd"}
    assert outage.delivery.backlog.samples == 0


@pytest.mark.parametrize(
    ("kept", "values"),
    [
        pytest.param({}, [1, 2, 3, 4, 5], id="kept"),
        pytest.param({"max_buffered_bytes": 0, "max_buffered_age": 0}, [1, 4, 5], id="not kept"),
        pytest.param({"max_buffered_bytes": 0}, [1, 4, 5], id="no bytes"),
        pytest.param({"max_buffered_age": 0}, [1, 4, 5], id="no time"),
    ],
)
def test_of_five_exports_two_meet_a_receiver_that_is_away(kept, values):
    outage = Outage(**kept)
    for value in range(1, 6):
        outage.receiver.answer = in_turn(then=failure(503) if value in {2, 3} else None)
        assert outage.export(value, ["a"]) is (value not in {2, 3})
    assert outage.receiver.values == {"a": values}


def test_what_will_not_be_kept_is_retried_as_long_as_there_is_time():
    outage = Outage(in_turn(*[failure(503)] * 5), max_buffered_bytes=0)
    assert outage.export(1, AB, retries=1.0)

    outage = Outage(in_turn(*[failure(503)] * 5))
    assert not outage.export(1, AB, retries=1.0)


def test_while_the_receiver_is_away_one_attempt_an_interval_is_made():
    outage = Outage(in_turn(then=failure(503)))
    outage.export(1, AB, CD)
    tried = len(outage.receiver.posts)
    assert tried > 5  # it might have come back at once
    for value in (2, 3, 4):
        outage.export(value, AB, CD)
    assert len(outage.receiver.posts) == tried + 3


def test_the_bounds_of_what_is_kept_hold_and_what_is_dropped_is_counted():
    size = len(fake_receiver.request(AB, 5, at=5000).body)
    outage = Outage(in_turn(then=failure()), max_buffered_age=100_000)
    for value in range(1, 6):
        outage.export(value, AB)
    assert +outage.delivery.samples == {"too old": 6}
    assert outage.delivery.backlog.samples == 4

    outage = Outage(in_turn(then=failure()), max_buffered_bytes=3 * size + size // 2)
    for value in range(1, 6):
        outage.export(value, AB)
    assert +outage.delivery.samples == {"buffer full": 4}
    outage.receiver.answer = in_turn()
    assert outage.export(6, AB)
    assert outage.receiver.values == {"a": [3, 4, 5, 6], "b": [3, 4, 5, 6]}


def slow(outage, seconds):
    def answer(post):
        outage.clock.now += min(seconds, post.timeout)
        return failure() if post.timeout < seconds else None

    return answer


def test_catching_up_ends_in_time_for_the_next_interval():
    outage = Outage(in_turn(then=failure()), max_concurrent_requests=1)
    for value in range(1, 11):
        outage.export(value, AB)
    outage.receiver.answer = slow(outage, 8)
    for value in range(11, 16):
        began = outage.clock()
        outage.export(value, AB, timeout=55)
        assert max(post.at for post in outage.receiver.accepted) < began + 30
    assert outage.export(16, AB)
    assert outage.receiver.values == {name: list(range(1, 17)) for name in "ab"}


def test_catching_up_ends_with_the_time_that_export_was_given():
    outage = Outage(in_turn(then=failure()), max_concurrent_requests=1, timeout=5)
    for value in range(1, 11):
        outage.export(value, AB, timeout=5)
    outage.receiver.answer = slow(outage, 1)
    assert not outage.export(11, AB, timeout=3, is_last=True)
    assert len(outage.receiver.values["a"]) == 3


def test_a_hiccup_while_catching_up_is_retried():
    outage = Outage(in_turn(then=failure()))
    for value in range(1, 5):
        outage.export(value, AB)
    outage.receiver.answer = in_turn(None, failure(503), None, failure(503), failure(503))
    assert outage.export(5, AB)
    assert outage.receiver.values["a"] == [1, 2, 3, 4, 5]


def no_native_histograms(post):
    return failure(500) if any(series.histograms for series in post.message.series) else None


def test_native_histograms_that_a_receiver_does_not_take_hold_nothing_up():
    outage = Outage(no_native_histograms)
    for value in range(1, 6):
        assert not outage.export(value, AB, native=(["h"],))
    assert outage.receiver.values == {name: [1, 2, 3, 4, 5] for name in "ab"}
    assert outage.delivery.backlog.samples == 5
    outage.receiver.answer = in_turn()
    assert outage.export(6, AB, native=(["h"],))
    assert [len(post.message.series[0].histograms) for post in outage.receiver.accepted if "h" in post.names] == [1] * 6


def test_floats_that_are_answered_500_do_not_hold_native_histograms_up():
    outage = Outage(lambda post: failure(500) if "a" in post.names else None)
    assert not outage.export(1, AB, native=(["h"],))
    assert [post.names for post in outage.receiver.accepted] == [{"h"}]


@pytest.mark.parametrize("error", [failure(), failure(429, 10.0), Unsendable("no certificate")], ids=str)
def test_where_the_receiver_is_away_nothing_else_is_tried(error):
    outage = Outage(in_turn(then=error), max_concurrent_requests=1)
    assert not outage.export(1, AB, CD, native=(["h"],))
    assert {name for post in outage.receiver.posts for name in post.names} == set(AB)


@pytest.mark.parametrize("kept", [{"max_buffered_bytes": 0}, {"max_buffered_age": 0}], ids=str)
def test_where_nothing_is_kept_each_export_is_attempted_whatever_the_receiver_wishes(kept, caplog):
    """With nothing attempted and nothing kept, an empty backlog was told as a delivery."""
    caplog.set_level("INFO")
    outage = Outage(in_turn(then=failure(429, retry_after=120.0)), **kept)
    for value in (1, 2, 3):
        assert not outage.export(value, AB)
    assert len(outage.receiver.posts) == 3
    assert +outage.delivery.samples == {"not kept": 6}
    assert "delivered again" not in caplog.text
    outage.receiver.answer = in_turn()
    assert outage.export(4, AB)
    assert "delivered again" in caplog.text


def test_an_export_without_data_is_no_sign_that_metrics_are_delivered_again(caplog):
    caplog.set_level("INFO")
    outage = Outage(in_turn(then=failure(503)), max_buffered_bytes=0)
    outage.export(1, AB)
    assert outage.export(2)
    assert "delivered again" not in caplog.text


def test_the_wish_to_wait_is_heeded_by_the_exports_that_follow():
    outage = Outage(in_turn(failure(429, retry_after=130.0)))
    assert not outage.export(1, AB)
    assert not outage.export(2, AB)
    assert not outage.export(3, AB)
    assert len(outage.receiver.posts) == 1
    assert outage.export(4, AB)
    assert outage.receiver.values["a"] == [1, 2, 3, 4]


def test_a_wish_to_wait_for_days_is_not():
    outage = Outage(in_turn(failure(503, retry_after=1e9)))
    results = [outage.export(value, AB) for value in range(1, 8)]
    assert results[-1]
    assert outage.receiver.values["a"] == [1, 2, 3, 4, 5, 6, 7]


def test_the_last_export_does_not_wait():
    outage = Outage(in_turn(failure(429, retry_after=200.0)))
    assert not outage.export(1, AB)
    assert outage.export(2, AB, is_last=True)


def test_the_protocol_is_found_out_when_the_receiver_is_back():
    outage = Outage(in_turn(then=failure()))
    for value in (1, 2):
        outage.export(value, AB, CD, protocol="2.0")
    failed = len(outage.receiver.posts)
    outage.receiver.answer = lambda post: refusal(415) if post.protocol == "2.0" else None
    assert outage.export(3, AB, CD, protocol="2.0")
    assert outage.receiver.values == {name: [1, 2, 3] for name in "abcd"}
    assert [post.protocol for post in outage.receiver.posts[failed:]].count("2.0") == 1
    assert outage.delivery.protocol == "1.0"


def test_a_receiver_that_becomes_one_of_1_0_in_the_middle_of_a_backlog():
    """It did not count what it wrote, so it had not confirmed 2.0."""
    outage = Outage(in_turn(then=failure()))
    outage.export(1, AB, protocol="2.0")
    outage.export(2, AB, protocol="2.0")
    outage.receiver.answer = in_turn(failure(503), {}, then=None)
    assert outage.export(3, AB, protocol="2.0") is False
    assert outage.export(4, AB, protocol="2.0")
    assert {post.protocol for post in outage.receiver.accepted[1:]} == {"1.0"}
    assert [post.message.series[0].samples[0].value for post in outage.receiver.accepted[1:]] == [1, 2, 3, 4]


@pytest.mark.parametrize("batches", [1, 8])
def test_rejection_is_failure_and_only_that_once(batches):
    outage = Outage(refusing(["bad"]))
    more = [[f"x{number}"] for number in range(batches)]
    assert not outage.export(1, [*AB, "bad"], *more)
    outage.receiver.answer = in_turn()
    assert outage.export(2, [*AB, "bad"], *more)
    assert outage.receiver.values["a"] == [1, 2]


@settings(max_examples=scaled(60))
@given(
    st.lists(st.sampled_from([None, None, failure(), failure(503), failure(500), failure(429, 90.0)]), max_size=80),
    st.sampled_from([1, 4]),
    st.sampled_from([16_000_000, 150, 0]),
)
def test_whatever_fails_each_series_comes_in_order_and_the_counts_add_up(answers, concurrent, max_bytes):
    outage = Outage(in_turn(*answers), max_concurrent_requests=concurrent, max_buffered_bytes=max_bytes)
    for value in range(1, 9):
        outage.export(value, AB, CD, ["e"], ["f"], native=(["h"],))
    outage.receiver.answer = in_turn()
    outage.clock.now += 400
    assert outage.export(9, AB, CD, ["e"], ["f"], native=(["h"],))
    values = outage.receiver.values
    for name in "abcdef":
        assert values[name] == sorted(set(values[name]))
        assert values[name][-1] == 9
    if max_bytes > 1000:
        assert values == {name: list(range(1, 10)) for name in "abcdef"} | {"h": []}


# --- life ---


def test_the_end_wakes_what_waits_and_counts_what_is_lost(caplog):
    """As in life: one thread exports and waits to try again, another one ends the exporter."""
    tried = threading.Event()
    clock = fake_receiver.Clock()
    receiver = fake_receiver.Receiver(clock, lambda _post: tried.set() or failure(503))
    delivery = Delivery(receiver, Settings(min_backoff=3_600_000, max_backoff=3_600_000), fake_receiver.COMPRESS)
    results = []
    thread = threading.Thread(
        target=lambda: results.append(delivery.deliver([fake_receiver.request(AB)], last(time.monotonic() + 1e5)))
    )
    thread.start()
    assert tried.wait(60)
    delivery.close()
    thread.join(60)
    assert results == [False]
    assert delivery.backlog.samples == 0
    assert +delivery.samples == {"at exit": 2}
    assert "2 samples dropped (at exit)" in caplog.text


def test_what_is_cut_short_ends_and_so_does_what_comes_until_that_is_over():
    outage = Outage(in_turn(then=failure(503)))
    outage.delivery.cut_short(outage.clock())
    assert not outage.export(1, AB)
    assert not outage.receiver.posts
    outage.delivery.resume()
    outage.receiver.answer = in_turn()
    assert outage.export(2, AB)
    assert outage.receiver.values["a"] == [1, 2]


def test_after_it_was_cut_short_the_waits_have_their_length_again():
    outage = Outage(in_turn(failure(503)), min_backoff=2000, max_backoff=2000)
    outage.delivery.cut_short(outage.clock())
    outage.delivery.resume()
    began = outage.clock()
    assert outage.export(1, AB)
    assert [post.at - began for post in outage.receiver.posts] == [0, 2]


def test_never_more_requests_are_under_way_than_allowed():
    under_way = threading.Semaphore(3)

    def answer(_post):
        assert under_way.acquire(blocking=False), "a fourth request"
        time.sleep(0.002)  # so that others may come
        under_way.release()

    outage = Outage(answer, max_concurrent_requests=3)
    assert outage.export(1, *([name] for name in "abcdefghijklmnop"))
