"""One request out, against a receiver that does what a test wants and a clock that moves only in waits."""

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.delivery.retry import Backoff
from opentelemetry.exporter.prometheus_remote_write.delivery.sender import Limits, Sender
from opentelemetry.exporter.prometheus_remote_write.errors import Unsendable
from tests.fake_receiver import (
    COMPRESS,
    Clock,
    Receiver,
    at_most,
    failure,
    in_turn,
    names,
    refusal,
    refusing,
    request,
    written,
)

PATIENT = Limits(math.inf, math.inf)


class Sending:
    """A sender with its receiver and its clock."""

    def __init__(self, answer=lambda _post: None, *, may_fall_back=True, timeout=30.0):
        self.clock = Clock()
        self.receiver = Receiver(self.clock, answer)
        self.sender = Sender(
            self.receiver,
            timeout=timeout,
            backoff=Backoff(0.1, 5.0),
            may_fall_back=may_fall_back,
            compress=COMPRESS,
            clock=self.clock,
            pause=self.clock.pause,
            random=lambda: 0.0,
        )

    def send(self, *requests, limits=PATIENT):
        return [left for each in requests for left in self.sender.send(each, limits)]

    def within(self, seconds):
        return Limits(self.clock() + seconds, math.inf)

    @property
    def counts(self):
        return +Counter(self.sender.samples)

    @property
    def bad_series(self):
        return [dict(labels)["__name__"] for labels in self.sender.bad_series]


# --- sent again ---


@pytest.mark.parametrize("status", [None, 500, 501, 502, 503, 504, 599, 429])
@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
def test_the_same_bytes_are_sent_again_until_they_are_accepted(status, protocol):
    sending = Sending(in_turn(*[failure(status)] * 8))
    assert not sending.send(request(names(3), protocol=protocol))
    posts = sending.receiver.posts
    assert len({post.body for post in posts}) == 1
    assert [post.headers.get("Retry-Attempt") for post in posts] == [None, *map(str, range(1, 9))]
    assert sending.clock.waits == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])
    assert sending.counts == {"accepted": 3}
    assert not sending.sender.errors


@pytest.mark.parametrize("status", [300, 301, 307, 402, 404, 405, 406, 408, 409, 410, 415, 418, 422, 425, 431, 451])
def test_any_other_answer_is_final(status):
    sending = Sending(in_turn(then=refusal(status)))
    assert not sending.send(request(names(3)))
    assert len(sending.receiver.posts) == 1
    assert sending.counts == {"rejected": 3}
    assert [error.status for error in sending.sender.errors] == [status]


def test_the_receivers_wish_is_waited_for():
    sending = Sending(in_turn(failure(429, retry_after=17.0)))
    assert not sending.send(request(names(1)))
    assert sending.clock.waits == [17.0]


def test_a_wish_beyond_the_deadline_is_not_waited_for():
    sending = Sending(in_turn(failure(429, retry_after=17.0)))
    sent = request(names(1))
    assert sending.send(sent, limits=sending.within(16.0)) == [sent]
    assert sending.clock.waits == []
    assert not sending.counts


@pytest.mark.parametrize("deadline", [0.01, 0.25, 1, 7.3, 60])
def test_no_attempt_ends_after_the_deadline(deadline):
    sending = Sending(in_turn(then=failure()), timeout=2.0)
    end = sending.clock() + deadline
    sent = request(names(1))
    assert sending.send(sent, limits=sending.within(deadline)) == [sent]
    assert sending.receiver.posts
    for post in sending.receiver.posts:
        assert post.at < end
        assert post.timeout <= min(2.0, end - post.at)


def test_nothing_is_sent_when_the_time_is_over():
    sending = Sending()
    assert len(sending.send(request(names(1)), limits=sending.within(0))) == 1
    assert not sending.receiver.posts


def test_after_the_patience_nothing_is_sent_again_but_once_it_is_sent():
    sending = Sending(in_turn(then=failure()))
    assert sending.send(request(names(1)), limits=Limits(math.inf, sending.clock() - 1))
    assert len(sending.receiver.posts) == 1


def test_a_wait_that_is_interrupted_is_the_end():
    sending = Sending(in_turn(then=failure(503)))
    sending.clock.interrupted = True
    assert len(sending.send(request(names(1)))) == 1
    assert len(sending.receiver.posts) == 1


def test_whatever_the_limits_no_attempt_ends_after_the_latest():
    sending = Sending(in_turn(then=failure(503)))
    sending.sender.latest = sending.clock() + 1
    assert len(sending.send(request(names(1)))) == 1
    assert all(post.at + post.timeout <= sending.sender.latest for post in sending.receiver.posts)


@pytest.mark.parametrize("status", [401, 403])
def test_secrets_are_read_again_once(status):
    sending = Sending(in_turn(refusal(status)))
    assert not sending.send(request(names(1)))
    assert sending.receiver.renewed == 1
    assert sending.counts == {"accepted": 1}
    assert sending.clock.waits == []

    sending = Sending(in_turn(then=refusal(status)))
    assert not sending.send(request(names(1)))
    assert len(sending.receiver.posts) == 2
    assert sending.receiver.renewed == 1
    assert sending.counts == {"rejected": 1}


def test_what_is_not_safe_to_send_waits():
    sending = Sending(in_turn(then=Unsendable("no certificate")))
    sent = request(names(1))
    assert sending.send(sent) == [sent]
    assert len(sending.receiver.posts) == 1


def test_a_fault_of_ours_is_counted_and_does_not_come_again():
    sending = Sending(in_turn(then=ZeroDivisionError("a secret")))
    assert not sending.send(request(names(3)))
    assert sending.counts == {"fault": 3}
    assert "ZeroDivisionError" in str(sending.sender.errors[0])
    assert "secret" not in str(sending.sender.errors[0])


# --- too large ---


@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
@pytest.mark.parametrize("limit", [1, 7, 64, 99])
def test_a_request_that_is_too_large_is_halved_and_the_size_remembered(protocol, limit):
    sending = Sending(at_most(limit))
    assert not sending.send(request(names(100), protocol=protocol))
    assert sending.receiver.values == {name: [1.0] for name in names(100)}
    assert sending.counts == {"accepted": 100}
    assert limit / 2 < sending.sender.max_samples <= limit
    assert not sending.sender.errors

    sending.receiver.posts.clear()
    assert not sending.send(request(names(100), 2.0, protocol=protocol))
    assert sending.receiver.values == {name: [1.0, 2.0] for name in names(100)}
    assert all(post.size <= limit for post in sending.receiver.posts)


@pytest.mark.parametrize(
    "body",
    [
        b"snappy: decoded length 40000000 exceeds limit 33554432",
        b"Request Entity Too Large",
        b"the message size exceeds the allowed limit",
    ],
)
def test_a_body_that_says_too_large_is_as_good_as_the_status(body):
    sending = Sending(lambda post: refusal(400, body) if post.size > 5 else None)
    sending.send(request(["first"], protocol="2.0"))  # so that 2.0 is known to be spoken
    assert not sending.send(request(names(20), protocol="2.0"))
    assert sending.counts == {"accepted": 21}
    assert sending.sender.max_samples == 5


def test_a_label_that_is_too_long_is_not_a_request_that_is_too_large():
    answer = {"X-Prometheus-Remote-Write-Samples-Written": "19"}
    sending = Sending(in_turn(then=refusal(400, b"label value exceeds the limit", **answer)))
    assert not sending.send(request(names(20), protocol="2.0"))
    assert len(sending.receiver.posts) == 1
    assert sending.counts == {"accepted": 19, "rejected": 1}


@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
def test_a_series_that_is_too_large_alone_costs_no_other_and_makes_no_request_smaller(protocol):
    sending = Sending(refusing(["series_70"], status=413, body=b""))
    assert not sending.send(request(names(100), protocol=protocol))
    assert sending.counts == {"accepted": 99, "rejected": 1}
    assert sending.bad_series == ["series_70"]
    assert sending.sender.max_samples is None

    sending.receiver.posts.clear()
    sending.send(request(names(100), protocol=protocol))
    assert [post.size for post in sending.receiver.posts] == [99, 1]


def test_the_halves_of_2_0_bring_only_their_own_strings():
    sent = request([name * 1000 for name in names(64)], protocol="2.0")
    sending = Sending(lambda post: refusal(413) if len(post.body) > len(sent.body) / 8 else None)
    assert not sending.send(sent)
    assert sending.counts == {"accepted": 64}


# --- bad series ---


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param([0], id="the first"),
        pytest.param([1999], id="the last"),
        pytest.param([1234], id="one in the middle"),
        pytest.param([3, 700, 1400], id="three"),
        pytest.param([10, 11, 12, 13], id="neighbours"),
    ],
)
def test_the_good_series_of_a_request_with_bad_ones_arrive(bad):
    bad_names = [names(2000)[position] for position in bad]
    sending = Sending(refusing(bad_names))
    assert not sending.send(request(names(2000)))
    assert sending.counts == {"accepted": 2000 - len(bad), "rejected": len(bad)}
    assert set(sending.receiver.values) == set(names(2000)) - set(bad_names)
    assert sending.bad_series == bad_names
    assert len(sending.sender.errors) == 1
    assert len(sending.receiver.posts) < 100


def test_bad_series_are_kept_apart_for_a_while():
    sending = Sending(refusing(["series_5"]))
    sending.send(request(names(100)))
    sending.sender.bad_series.clear()
    for value in (2.0, 3.0):
        sending.receiver.posts.clear()
        sending.send(request(names(100), value))
        assert [post.names for post in sending.receiver.posts] == [set(names(100)) - {"series_5"}, {"series_5"}]
        assert not sending.bad_series
    assert sending.receiver.values["series_4"] == [1.0, 2.0, 3.0]
    assert sending.counts == {"accepted": 297, "rejected": 3}

    sending.clock.now += 601
    sending.receiver.posts.clear()
    sending.send(request(names(100), 4.0))
    assert sending.receiver.posts[0].size == 100
    assert sending.bad_series == ["series_5"]


def test_a_series_that_is_good_again_travels_with_the_others():
    sending = Sending(refusing(["series_5"]))
    sending.send(request(names(100)))
    sending.receiver.answer = lambda _post: None
    sending.send(request(names(100), 2.0))
    sending.receiver.posts.clear()
    sending.send(request(names(100), 3.0))
    assert len(sending.receiver.posts) == 1
    assert sending.receiver.values["series_5"] == [2.0, 3.0]


def test_the_series_of_another_batch_are_not_kept_apart():
    sending = Sending(refusing(["series_5"]))
    sending.send(request(names(100)))
    sending.receiver.posts.clear()
    sending.send(request(["other"], batch=1))
    assert [post.names for post in sending.receiver.posts] == [{"other"}]


def test_where_all_are_bad_the_search_ends_soon_and_is_not_repeated():
    sending = Sending(in_turn(then=refusal(400, b"out of order sample")))
    assert not sending.send(request(names(2000)))
    assert sending.counts == {"rejected": 2000}
    assert len(sending.receiver.posts) < 25

    sending.receiver.posts.clear()
    sending.send(request(names(2000), 2.0))
    assert len(sending.receiver.posts) == 1
    sending.receiver.answer = lambda _post: None
    assert not sending.send(request(names(2000), 3.0))
    assert sending.counts == {"rejected": 4000, "accepted": 2000}


def test_a_search_is_bounded_however_many_are_bad():
    sending = Sending(refusing(names(2000)[::7]))
    assert not sending.send(request(names(2000)))
    assert len(sending.receiver.posts) <= 202
    assert sending.counts["accepted"] > 100
    assert sending.counts.total() == 2000


def test_a_search_that_the_network_ends_is_taken_up_again():
    away = iter([False] * 7)
    bad = refusing(["series_50"])
    sending = Sending(lambda post: failure() if next(away, True) else bad(post))
    left = sending.send(request(names(100)), limits=sending.within(1))
    assert len(left) == 1
    assert sum(each.size for each in left) + sending.counts.total() == 100

    sending.receiver.answer = bad
    assert not sending.send(*left)
    assert sending.counts == {"accepted": 99, "rejected": 1}
    assert all(values == [1.0] for values in sending.receiver.values.values())


@settings(max_examples=100)
@given(st.sets(st.integers(0, 39), max_size=12), st.lists(st.booleans(), max_size=60), st.sampled_from([3, 10, 1000]))
def test_whatever_happens_the_counts_add_up(bad, away, limit):
    outages = iter(away)
    is_bad, is_large = refusing([names(40)[position] for position in bad]), at_most(limit)
    sending = Sending(lambda post: failure(503) if next(outages, False) else is_large(post) or is_bad(post))
    waiting = []
    for value in (1.0, 2.0, 3.0):
        left = []
        for each in (*waiting, request(names(40), value, at=int(value))):  # in order, as delivery does
            left += [each] if left else sending.send(each, limits=sending.within(0.5))
        waiting = left
        assert sending.counts.total() + sum(each.size for each in waiting) == 40 * value
    for values in sending.receiver.values.values():
        assert values == sorted(set(values))


# --- 2.0 ---


def test_what_was_not_written_is_rejected_though_the_answer_was_2xx():
    sending = Sending(in_turn(then={"X-Prometheus-Remote-Write-Samples-Written": "17"}))
    assert not sending.send(request(names(20), protocol="2.0"))
    assert sending.counts == {"accepted": 17, "rejected": 3}
    assert "3 samples" in str(sending.sender.errors[0])


def test_in_2_0_the_receiver_says_what_it_kept_and_nothing_is_sent_again():
    sending = Sending(in_turn(then=refusal(400, b"x", **{"X-Prometheus-Remote-Write-Samples-Written": "17"})))
    assert not sending.send(request(names(20), protocol="2.0"))
    assert sending.counts == {"accepted": 17, "rejected": 3}
    assert len(sending.receiver.posts) == 1


def only_1_0(post):
    return refusal(415) if post.protocol == "2.0" else None


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(only_1_0, id="415"),
        pytest.param(lambda post: refusal(400) if post.protocol == "2.0" else None, id="400"),
        pytest.param(lambda _post: {}, id="2xx that does not count"),
    ],
)
def test_a_receiver_of_1_0_is_sent_1_0_from_then_on(answer):
    sending = Sending(answer)
    assert not sending.send(request(names(3), protocol="2.0"), request(names(3), 2.0, protocol="2.0"))
    assert [post.protocol for post in sending.receiver.posts] == ["2.0", "1.0", "1.0"]
    assert sending.sender.protocol == "1.0"
    assert sending.counts == {"accepted": 6}
    assert not sending.sender.errors


def test_where_2_0_is_demanded_nothing_else_is_sent():
    sending = Sending(only_1_0, may_fall_back=False)
    assert not sending.send(request(names(3), protocol="2.0"))
    assert sending.sender.protocol == "2.0"
    assert sending.counts == {"rejected": 3}


def test_the_halves_show_which_version_is_spoken():
    def answer(post):
        return at_most(4)(post) or only_1_0(post)

    sending = Sending(answer)
    assert not sending.send(request(names(16), protocol="2.0"))
    assert sending.receiver.values == {name: [1.0] for name in names(16)}
    assert sending.counts == {"accepted": 16}


def test_the_fall_back_is_said_once(caplog):
    caplog.set_level("INFO")
    sending = Sending(only_1_0)
    for value in (1.0, 2.0):
        sending.send(request(names(3), value, protocol="2.0"))
    assert [record.getMessage() for record in caplog.records if "going on with 1.0" in record.getMessage()] == [
        "The receiver does not speak Remote Write 2.0 (it answered 415: ): going on with 1.0"
    ]


@pytest.mark.parametrize(
    ("may_fall_back", "protocol", "tries"), [(True, "2.0", True), (False, "2.0", False), (True, "1.0", False)]
)
def test_the_first_request_of_2_0_shows_which_version_is_spoken(may_fall_back, protocol, tries):
    sending = Sending(written, may_fall_back=may_fall_back)
    first = request(names(1), protocol=protocol)
    assert sending.sender.tries_protocol(first) is tries
    sending.send(first)
    assert not sending.sender.tries_protocol(first)


def test_an_empty_request_that_is_refused_is_an_error():
    sending = Sending(in_turn(then=refusal(400)))
    assert not sending.send(request([]))
    assert len(sending.sender.errors) == 1
