"""One request out, against a receiver that does what a test wants and a clock that moves only in waits."""

import errno
import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.delivery.exchange import Exchange
from opentelemetry.exporter.prometheus_remote_write.delivery.hints import hint
from opentelemetry.exporter.prometheus_remote_write.delivery.retry import Backoff
from opentelemetry.exporter.prometheus_remote_write.delivery.sender import Sender
from opentelemetry.exporter.prometheus_remote_write.delivery.tally import Noted, Tally
from opentelemetry.exporter.prometheus_remote_write.delivery.window import Window
from opentelemetry.exporter.prometheus_remote_write.encoding.parts import encoded
from opentelemetry.exporter.prometheus_remote_write.errors import Cause, Retryable, Unsendable
from opentelemetry.exporter.prometheus_remote_write.model.request import Request
from opentelemetry.exporter.prometheus_remote_write.proto import write_v2_pb2
from opentelemetry.exporter.prometheus_remote_write.receiver.decompression import decompress
from opentelemetry.exporter.prometheus_remote_write.system.time_slice import TimeSlice
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
from tests.thoroughness import scaled

PATIENT = Window(math.inf, math.inf)


class Sending:
    """A sender with its receiver and its clock."""

    def __init__(self, answer=lambda _post: None, *, may_fall_back=True, timeout=30.0, **keywords):
        self.clock = Clock()
        self.receiver = Receiver(self.clock, answer)
        self.tally = Tally()
        self._errors, self._bad_series = [], []
        self.exchange = Exchange(
            self.receiver,
            timeout=timeout,
            backoff=Backoff(0.1, 5.0),
            clock=self.clock,
            pause=self.clock.pause,
            random=lambda: 0.0,
            **keywords,
        )
        self.sender = Sender(
            self.exchange, self.tally, may_fall_back=may_fall_back, compress=COMPRESS, clock=self.clock
        )

    def send(self, *requests, window=PATIENT):
        return [left for each in requests for left in self.sender.send(each, window)]

    def within(self, seconds):
        return Window(self.clock() + seconds, math.inf)

    @property
    def counts(self):
        return +Counter(self.tally.samples)

    @property
    def errors(self):
        return self._noted().errors

    @property
    def bad_series(self):
        return [dict(labels)["__name__"] for labels in self._noted().bad_series]

    def forget(self):
        """Has only what comes from now on among posts, errors and bad series."""
        self._noted()
        self.receiver.posts.clear()
        self._errors.clear()
        self._bad_series.clear()

    def _noted(self):
        errors, bad_series, _samples = self.tally.take()
        self._errors += errors
        self._bad_series += bad_series
        return Noted(self._errors, self._bad_series, self.tally.samples)


# --- sent again ---


@pytest.mark.parametrize("status", [None, 500, 501, 502, 503, 504, 599])
@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
def test_the_same_bytes_are_sent_again_until_they_are_accepted(status, protocol):
    sending = Sending(in_turn(*[failure(status)] * 8), may_fall_back=False)
    assert not sending.send(request(names(3), protocol=protocol))
    posts = sending.receiver.posts
    assert len({post.body for post in posts}) == 1
    assert [post.headers.get("Retry-Attempt") for post in posts] == [None, *map(str, range(1, 9))]
    assert sending.clock.waits == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])
    assert sending.counts == {"accepted": 3}
    assert not sending.errors


@pytest.mark.parametrize("status", [300, 301, 307, 402, 404, 405, 406, 408, 410, 415, 418, 422, 425, 431, 451])
def test_any_other_answer_is_final(status):
    sending = Sending(in_turn(then=refusal(status)))
    assert not sending.send(request(names(3)))
    assert len(sending.receiver.posts) == 1
    assert sending.counts == {"rejected": 3}
    assert [error.status for error in sending.errors] == [status]


def test_the_receivers_wish_is_waited_for():
    sending = Sending(in_turn(failure(429, retry_after=17.0)))
    assert not sending.send(request(names(1)))
    assert sending.clock.waits == [17.0]


def test_a_series_that_is_limited_alone_is_sent_again_as_long_as_there_is_time():
    sending = Sending(in_turn(*[failure(429)] * 8))
    assert not sending.send(request(names(1)))
    assert len(sending.receiver.posts) == 9


def test_a_wish_beyond_the_deadline_is_not_waited_for():
    sending = Sending(in_turn(failure(429, retry_after=17.0)))
    sent = request(names(1))
    assert sending.send(sent, window=sending.within(16.0)) == [sent]
    assert sending.clock.waits == []
    assert not sending.counts


@pytest.mark.parametrize("deadline", [0.01, 0.25, 1, 7.3, 60])
def test_no_attempt_ends_after_the_deadline(deadline):
    sending = Sending(in_turn(then=failure()), timeout=2.0)
    end = sending.clock() + deadline
    sent = request(names(1))
    assert sending.send(sent, window=sending.within(deadline)) == [sent]
    assert sending.receiver.posts
    for post in sending.receiver.posts:
        assert post.at < end
        assert post.timeout <= min(2.0, end - post.at)


def test_nothing_is_sent_when_the_time_is_over():
    sending = Sending()
    assert len(sending.send(request(names(1)), window=sending.within(0))) == 1
    assert not sending.receiver.posts


def test_after_the_time_for_retries_a_request_is_sent_once():
    sending = Sending(in_turn(then=failure()))
    assert sending.send(request(names(1)), window=Window(math.inf, retry_until=sending.clock() - 1))
    assert len(sending.receiver.posts) == 1


def test_a_wait_that_is_interrupted_is_the_end():
    sending = Sending(in_turn(then=failure(503)))
    sending.clock.interrupted = True
    assert len(sending.send(request(names(1)))) == 1
    assert len(sending.receiver.posts) == 1


def test_whatever_the_limits_no_attempt_ends_after_the_latest():
    sending = Sending(in_turn(then=failure(503)))
    sending.exchange.latest = sending.clock() + 1
    assert len(sending.send(request(names(1)))) == 1
    assert all(post.at + post.timeout <= sending.exchange.latest for post in sending.receiver.posts)


def test_what_is_not_safe_to_send_waits():
    sending = Sending(in_turn(then=Unsendable("no certificate")))
    sent = request(names(1))
    assert sending.send(sent) == [sent]
    assert len(sending.receiver.posts) == 1


def test_a_fault_of_ours_is_counted_and_does_not_come_again():
    sending = Sending(in_turn(then=ZeroDivisionError("a secret")))
    assert not sending.send(request(names(3)))
    assert sending.counts == {"fault": 3}
    assert "ZeroDivisionError" in str(sending.errors[0])
    assert "secret" not in str(sending.errors[0])


@pytest.mark.parametrize(
    ("error", "reason"),
    [(MemoryError(), "MemoryError"), (OSError(errno.EMFILE, "Too many open files"), "Too many open files")],
)
def test_a_request_for_which_the_process_lacks_something_waits(error, reason):
    sending = Sending(in_turn(error))
    sent = request(names(3))
    assert sending.send(sent) == [sent]
    assert str(sending.errors[0]) == f"the process could not make or send a request ({reason})"
    assert not sending.send(sent)
    assert sending.counts == {"accepted": 3}


# --- too large ---


@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
@pytest.mark.parametrize("limit", [1, 7, 64, 99])
def test_a_request_that_is_too_large_is_halved_and_the_size_remembered(protocol, limit):
    sending = Sending(at_most(limit))
    assert not sending.send(request(names(100), protocol=protocol))
    assert sending.receiver.values == {name: [1.0] for name in names(100)}
    assert sending.counts == {"accepted": 100}
    assert not sending.errors

    sending.receiver.posts.clear()
    assert not sending.send(request(names(100), 2.0, protocol=protocol))
    assert sending.receiver.values == {name: [1.0, 2.0] for name in names(100)}
    assert all(limit / 4 < post.size <= limit for post in sending.receiver.posts)


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
    sending.forget()
    assert not sending.send(request(names(20), 2.0, protocol="2.0"))
    assert [post.size for post in sending.receiver.posts] == [5, 5, 5, 5]


CORTEX_TOO_LARGE = b"received message larger than max (5242 vs. 4194)"
MIMIR_TOO_LARGE = (
    b"the incoming push request has been rejected because its message size of 5242 bytes is larger than the allowed "
    b"limit of 4194 bytes (err-mimir-distributor-max-write-message-size). To adjust the related limit, configure "
    b"-distributor.max-recv-msg-size, or contact your service administrator."
)
GRPC_TOO_LARGE = b"rpc error: code = ResourceExhausted desc = grpc: received message larger than max (5242 vs. 4194)"
NONE_WRITTEN = {f"X-Prometheus-Remote-Write-{kind}-Written": "0" for kind in ("Samples", "Histograms", "Exemplars")}


@pytest.mark.parametrize("headers", [{}, NONE_WRITTEN], ids=["without counts", "with counts of zero"])
@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
@pytest.mark.parametrize("may_fall_back", [True, False], ids=["auto", "fixed"])
@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(400, CORTEX_TOO_LARGE, id="Cortex"),
        pytest.param(400, MIMIR_TOO_LARGE, id="Mimir"),
        pytest.param(413, MIMIR_TOO_LARGE, id="Mimir's older status"),
        pytest.param(500, GRPC_TOO_LARGE, id="gRPC"),
        pytest.param(413, b"", id="nginx"),
    ],
)
def test_a_request_that_is_too_large_is_halved_whoever_says_so_and_as_the_first_answer(
    status, body, protocol, headers, may_fall_back
):
    sending = Sending(
        lambda post: refusal(status, body, **headers) if post.size > 5 else None, may_fall_back=may_fall_back
    )
    for value in (1.0, 2.0):
        assert not sending.send(request(names(20), value, protocol=protocol))
    assert sending.counts == {"accepted": 40}
    assert sending.sender.protocol == "2.0"
    assert not sending.errors
    assert [post.size for post in sending.receiver.posts][-4:] == [5, 5, 5, 5]


def test_the_size_grows_again_when_the_limit_has_passed():
    sending = Sending(at_most(5))
    sending.send(request(names(40)))
    sending.receiver.answer = in_turn()
    sizes = []
    for value in range(2, 12):
        sending.clock.now += 60
        sending.forget()
        sending.send(request(names(40), value))
        sizes.append(len(sending.receiver.posts))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == 8
    assert sizes[-1] == 1


def test_where_the_limit_stays_it_is_tried_again_only_now_and_then():
    sending = Sending(at_most(5))
    sending.send(request(names(40)))
    sending.forget()
    for value in range(2, 62):
        sending.clock.now += 60
        sending.send(request(names(40), value))
    assert sending.counts == {"accepted": 61 * 40}
    assert sum(post.size > 5 for post in sending.receiver.posts) < len(sending.receiver.posts) / 4


def test_where_even_a_single_series_is_too_large_the_search_is_not_repeated():
    sending = Sending(in_turn(then=refusal(413)))
    sending.send(request(names(500)))
    assert len(sending.receiver.posts) < 25
    sending.forget()
    sending.send(request(names(500), 2.0))
    assert len(sending.receiver.posts) == 1


def test_a_size_is_remembered_of_the_batch_that_was_too_large_alone():
    sending = Sending(lambda post: refusal(413) if "series_0" in post.names and post.size > 5 else None)
    sending.send(request(names(20), batch=1))
    sending.forget()
    sending.send(request([f"other_{number}" for number in range(20)], batch=2))
    assert [post.size for post in sending.receiver.posts] == [20]


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
    sending.forget()
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
    assert len(sending.errors) == 1
    assert len(sending.receiver.posts) < 100


def test_bad_series_are_kept_apart_for_a_while():
    sending = Sending(refusing(["series_5"]))
    sending.send(request(names(100)))
    assert sending.bad_series == ["series_5"]
    for value in (2.0, 3.0):
        sending.forget()
        sending.send(request(names(100), value))
        assert [post.names for post in sending.receiver.posts] == [set(names(100)) - {"series_5"}, {"series_5"}]
        assert not sending.bad_series
    assert sending.receiver.values["series_4"] == [1.0, 2.0, 3.0]
    assert sending.counts == {"accepted": 297, "rejected": 3}

    sending.clock.now += 601
    sending.forget()
    sending.send(request(names(100), 4.0))
    assert sending.receiver.posts[0].size == 100
    assert sending.bad_series == ["series_5"]


def test_a_good_series_is_not_lost_beside_a_bad_one():
    """Both were refused once; held apart together, the good one was refused with the bad one for ten minutes."""
    sending = Sending(refusing(["series_5", "series_7"]))
    sending.send(request(names(100)))
    sending.receiver.answer = refusing(["series_5"])
    sending.send(request(names(100), 2.0))
    assert sending.receiver.values["series_7"] == [2.0]
    assert sending.counts == {"accepted": 98 + 99, "rejected": 2 + 1}

    sending.forget()
    sending.send(request(names(100), 3.0))
    assert [post.names for post in sending.receiver.posts] == [set(names(100)) - {"series_5"}, {"series_5"}]


def test_all_series_that_were_held_apart_and_are_good_again_arrive_in_one_export():
    bad = names(100)[::3]
    sending = Sending(refusing(bad))
    sending.send(request(names(100)))
    sending.receiver.answer = refusing(bad[:1])
    assert not sending.send(request(names(100), 2.0))
    assert all(sending.receiver.values[name][-1] == 2.0 for name in set(names(100)) - {bad[0]})


def test_a_series_is_held_apart_as_long_as_it_is_refused_and_named_once():
    sending = Sending(refusing(["series_5"]))
    for value in range(1, 40):
        sending.send(request(names(100), value))
        sending.clock.now += 60
    assert sending.bad_series == ["series_5"]
    assert len(sending.receiver.values["series_4"]) == 39


def test_series_that_stay_bad_cost_a_bounded_number_of_requests_and_each_has_its_turn():
    sending = Sending(refusing(names(260)[:130]))
    for value in range(1, 6):
        sending.forget()
        sending.send(request(names(260), value))
        assert len(sending.receiver.posts) <= 2 * 101 + 1
    assert all(sending.receiver.values[name][-1] == 5 for name in names(260)[130:])
    sending.receiver.answer = in_turn()
    sending.send(request(names(260), 6.0))
    assert all(sending.receiver.values[name][-1] == 6 for name in names(260))


def test_bad_series_that_are_neighbours_do_not_make_the_others_hopeless():
    """The search went from one neighbour to the next, and took all for bad before it had seen the others."""
    sending = Sending(refusing(names(2000)[:40]))
    sending.send(request(names(2000)))
    assert sending.counts == {"accepted": 1960, "rejected": 40}


def test_a_conflict_is_taken_apart_like_a_bad_request():
    """Thanos answers 409, and has kept the good samples."""
    sending = Sending(refusing(["series_5"], status=409, body=b"add 1 series: conflict"))
    assert not sending.send(request(names(100)))
    assert sending.counts == {"accepted": 99, "rejected": 1}
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
    left = sending.send(request(names(100)), window=sending.within(1))
    assert len(left) == 1
    assert sum(each.size for each in left) + sending.counts.total() == 100

    sending.receiver.answer = bad
    assert not sending.send(*left)
    assert sending.counts == {"accepted": 99, "rejected": 1}
    assert all(values == [1.0] for values in sending.receiver.values.values())


@settings(max_examples=scaled(100))
@given(st.sets(st.integers(0, 39), max_size=12), st.lists(st.booleans(), max_size=60), st.sampled_from([3, 10, 1000]))
def test_whatever_happens_the_counts_add_up(bad, away, limit):
    outages = iter(away)
    is_bad, is_large = refusing([names(40)[position] for position in bad]), at_most(limit)
    sending = Sending(lambda post: failure(503) if next(outages, False) else is_large(post) or is_bad(post))
    waiting = []
    for value in (1.0, 2.0, 3.0):
        left = []
        for each in (*waiting, request(names(40), value, at=int(value))):  # in order, as delivery does
            left += [each] if left else sending.send(each, window=sending.within(0.5))
        waiting = left
        assert sending.counts.total() + sum(each.size for each in waiting) == 40 * value
    for values in sending.receiver.values.values():
        assert values == sorted(set(values))


# --- 2.0 ---


def test_what_was_not_written_is_rejected_though_the_answer_was_2xx():
    sending = Sending(in_turn(then={"X-Prometheus-Remote-Write-Samples-Written": "17"}))
    assert not sending.send(request(names(20), protocol="2.0"))
    assert sending.counts == {"accepted": 17, "rejected": 3}
    assert "3 samples" in str(sending.errors[0])


def test_in_2_0_the_receiver_says_what_it_kept_and_nothing_is_sent_again():
    sending = Sending(in_turn(then=refusal(400, b"x", **{"X-Prometheus-Remote-Write-Samples-Written": "17"})))
    assert not sending.send(request(names(20), protocol="2.0"))
    assert sending.counts == {"accepted": 17, "rejected": 3}
    assert len(sending.receiver.posts) == 1


ALL_WRITTEN = {**NONE_WRITTEN, "X-Prometheus-Remote-Write-Samples-Written": "20"}


@pytest.mark.parametrize("status", [400, 409, 422])
@pytest.mark.parametrize("claim", [NONE_WRITTEN, ALL_WRITTEN], ids=["none", "all"])
def test_a_refusal_that_claims_none_or_all_was_written_leaves_the_outcome_unknown(status, claim):
    """Cortex claims none, though it has kept most; Mimir claims all."""
    sending = Sending(in_turn(then=refusal(status, b"out of order sample", **claim)))
    assert not sending.send(request(names(20), protocol="2.0"))
    assert sending.counts == {"unknown": 20}
    assert len(sending.receiver.posts) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 413, 415])
def test_what_is_refused_before_it_is_read_is_rejected_whatever_is_counted(status):
    sending = Sending(in_turn(then=refusal(status, b"", **NONE_WRITTEN)), may_fall_back=False)
    assert not sending.send(request(names(1), protocol="2.0"))
    assert sending.counts == {"rejected": 1}


def test_a_single_sample_that_is_refused_is_rejected():
    sending = Sending(in_turn(then=refusal(400, b"out of order sample", **NONE_WRITTEN)))
    assert not sending.send(request(names(1), protocol="2.0"))
    assert sending.counts == {"rejected": 1}


# --- the Collector's receiver, which speaks 2.0 alone ---


HISTOGRAM = write_v2_pb2.Metadata.METRIC_TYPE_HISTOGRAM
GAUGE = write_v2_pb2.Metadata.METRIC_TYPE_GAUGE


def collector(post):
    """Counts what the OpenTelemetry Collector's receiver counts."""
    if post.protocol == "1.0":
        return refusal(415, b"Unsupported proto version")
    counted = [
        series
        for series in write_v2_pb2.Request.FromString(decompress(post.body, 1 << 30)).timeseries
        if series.metadata.type != HISTOGRAM and series.labels_refs[1] != 2
    ]
    return {**NONE_WRITTEN, "X-Prometheus-Remote-Write-Samples-Written": str(len(counted))}


def typed(types, *, exemplars=0):
    """A request of 2.0 with a series for each name and type."""
    symbols = ["", "__name__", "target_info", *(name for name in types if name != "target_info")]
    message = write_v2_pb2.Request(symbols=symbols)
    for name, kind in types.items():
        series = message.timeseries.add(labels_refs=[1, symbols.index(name)])
        series.metadata.type = kind
        series.samples.add(value=1.0, timestamp=1_700_000_000_000)
        for _ in range(exemplars):
            series.exemplars.add(value=1.0, timestamp=1_700_000_000_000)
    return encoded(message.timeseries, Request(b"", "2.0", 0, 0, 0), COMPRESS, TimeSlice(), symbols)


def test_a_receiver_that_does_not_count_target_info_has_accepted_all(caplog):
    sending = Sending(collector)
    for _ in range(3):
        assert not sending.send(typed({"target_info": GAUGE, "a": GAUGE, "b": GAUGE}))
    assert not sending.errors
    assert sending.counts == {"accepted": 9}
    (record,) = caplog.records
    assert "OTEL_EXPORTER_PRW_CONVERT_HISTOGRAMS_TO_NHCB=true" in record.getMessage()


def test_a_receiver_that_counts_no_exemplars_has_accepted_the_samples(caplog):
    sending = Sending(collector)
    for _ in range(3):
        assert not sending.send(typed({"target_info": GAUGE, "a": GAUGE}, exemplars=1))
        assert not sending.send(typed({"a": GAUGE, "b": GAUGE}, exemplars=2))
    assert not sending.errors
    assert sending.counts == {"accepted": 12}
    assert len(caplog.records) == 2


@pytest.mark.parametrize("others", [{"target_info": GAUGE, "a": GAUGE}, {"a": GAUGE}, {}], ids=str)
def test_classic_histograms_that_are_dropped_are_a_loss_with_the_hint(others):
    sending = Sending(collector)
    assert not sending.send(typed({**others, "h_bucket": HISTOGRAM, "h_count": HISTOGRAM}))
    assert sending.counts == {"accepted": len(others), "rejected": 2} if others else {"rejected": 2}
    (error,) = sending.errors
    assert "OTEL_EXPORTER_PRW_CONVERT_HISTOGRAMS_TO_NHCB=true" in hint(error)


def test_any_other_shortfall_is_a_loss():
    sending = Sending(in_turn(then={**NONE_WRITTEN, "X-Prometheus-Remote-Write-Samples-Written": "1"}))
    assert not sending.send(typed({"target_info": GAUGE, "a": GAUGE, "b": GAUGE}))
    assert sending.counts == {"accepted": 1, "rejected": 2}
    assert len(sending.errors) == 1


# --- a rate limit that a request can never meet ---


def burst(most):
    """Cortex' rate limit, which counts the metadata that 2.0 sends with each series."""

    def answer(post):
        counted = post.size * (2 if post.protocol == "2.0" else 1)
        text = f"ingestion rate limit ({most}) exceeded while adding {post.size} samples and {post.size} metadata"
        return failure(429, body=text.encode()) if counted > most else None

    return answer


@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
def test_a_request_above_the_burst_is_halved_after_a_few_refusals(protocol):
    sending = Sending(burst(50))
    waiting = [request(names(100), protocol=protocol)]
    for _ in range(4):
        waiting = sending.send(*waiting, window=sending.within(10))
    assert not waiting
    assert sending.counts == {"accepted": 100}
    assert sending.receiver.values == {name: [1.0] for name in names(100)}

    sending.forget()
    assert not sending.send(request(names(100), 2.0, protocol=protocol))
    assert all(post.size <= 25 * (3 - int(protocol[0])) for post in sending.receiver.posts)


@pytest.mark.parametrize("retry_until", [-math.inf, math.inf], ids=["one attempt an export", "many attempts"])
def test_it_is_halved_however_many_attempts_an_export_makes(retry_until):
    sending = Sending(burst(50))
    waiting = [request(names(41), protocol="2.0")]
    for _ in range(8):
        window = Window(sending.clock() + 10, retry_until=retry_until)
        waiting = [left for each in waiting for left in sending.send(each, window=window)]
        sending.clock.now += 60
    assert not waiting
    assert sending.counts == {"accepted": 41}


class Bucket:
    """Cortex' whole rate limit: a burst, and so many samples a second; metadata counts."""

    def __init__(self, clock, *, rate, burst):
        self._clock, self._rate, self._burst = clock, rate, burst
        self._held, self._at = burst, clock()
        self.refused = 0

    def __call__(self, post):
        now = self._clock()
        self._held, self._at = min(self._burst, self._held + (now - self._at) * self._rate), now
        counted = post.size * (2 if post.protocol == "2.0" else 1)
        if counted > self._held:
            self.refused += 1
            return failure(429, body=b"ingestion rate limit (%d) exceeded" % self._rate)
        self._held -= counted
        return None


@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
@pytest.mark.parametrize("rate", [25, 100, 1000])
@pytest.mark.parametrize("burst", [15, 50, 199])
def test_size_and_pace_that_passed_are_remembered(protocol, rate, burst):
    sending = Sending()
    bucket = sending.receiver.answer = Bucket(sending.clock, rate=rate, burst=burst)
    batches = [names(75), [f"other_{number}" for number in range(25)]]
    refused = []
    for value in range(1, 17):
        for batch, series in enumerate(batches):
            waiting = [request(series, float(value), protocol=protocol, batch=batch)]
            while waiting:
                waiting = sending.send(*waiting, window=sending.within(30))
        refused.append(bucket.refused)
        bucket.refused = 0
        sending.clock.now += 10
    assert sending.receiver.values == {name: [float(n) for n in range(1, 17)] for series in batches for name in series}
    assert refused[3:].count(0) >= 10, refused  # the others try whether more passes


def test_where_the_rate_limit_stays_more_is_tried_less_and_less_often():
    sending = Sending()
    bucket = sending.receiver.answer = Bucket(sending.clock, rate=10, burst=5)
    refused = []
    for value in range(1, 301):
        waiting = [request(names(10), float(value), protocol="1.0")]
        while waiting:
            waiting = sending.send(*waiting, window=sending.within(30))
        sending.clock.now += 60
        if not value % 60:
            refused.append(bucket.refused)
            bucket.refused = 0
    assert refused[-1] < refused[0] / 2
    assert refused[-1] < 60 / 3


def test_the_pace_is_forgotten_when_the_limit_has_passed():
    sending = Sending()
    sending.receiver.answer = Bucket(sending.clock, rate=100, burst=50)
    waiting = [request(names(100))]
    while waiting:
        waiting = sending.send(*waiting, window=sending.within(30))
    sending.receiver.answer = in_turn()
    sending.clock.now += 3600
    for value in range(2, 40):
        sending.forget()
        sending.clock.waits.clear()
        sending.send(request(names(100), float(value)))
        sending.clock.now += 200
    assert len(sending.receiver.posts) == 1
    assert sending.clock.waits == []


def test_a_pace_beyond_the_time_for_retries_holds_nothing_back():
    sending = Sending()
    sending.receiver.answer = Bucket(sending.clock, rate=1, burst=20)
    sending.send(request(names(20)), request(["more"]), window=Window(math.inf, math.inf))
    sending.receiver.answer = in_turn()
    sending.forget()
    began = sending.clock()
    assert not sending.send(request(names(20), 2.0), window=Window(math.inf, retry_until=began + 5))
    assert sending.clock() == began


def test_no_pace_holds_up_the_exit():
    sending = Sending()
    sending.receiver.answer = Bucket(sending.clock, rate=10, burst=20)
    sending.send(request(names(20)), request(names(20), 2.0))
    sending.receiver.answer = in_turn()
    began = sending.clock()
    sending.send(request(names(20), 3.0), window=Window(began + 5, retry_until=began + 5, is_last=True))
    assert sending.clock() == began


def test_a_receiver_that_was_in_trouble_for_long_is_not_taken_for_a_slow_one():
    sending = Sending(in_turn(None, failure(429, retry_after=200.0)))
    sending.send(request(names(20)), request(names(20), 2.0))
    began = sending.clock()
    sending.send(request(names(20), 3.0))
    assert sending.clock() - began < 6


def test_a_rate_that_is_too_high_for_a_while_makes_no_request_smaller():
    """What has passed as a whole a while ago will pass again: the receiver only needs time."""
    sending = Sending(in_turn(None, *[failure(429)] * 6))
    sending.send(request(names(1000)))
    sending.clock.now += 10
    sending.send(request(names(1000), 2.0))
    assert {post.size for post in sending.receiver.posts} == {1000}


def test_that_1_0_passes_as_a_whole_is_said_once_and_costs_nothing(caplog):
    sending = Sending(burst(50))
    for value in (1.0, 2.0, 3.0):
        assert not sending.send(request(names(41), value, protocol="2.0"))
    assert sending.receiver.values == {name: [1.0, 2.0, 3.0] for name in names(41)}
    assert [post.protocol for post in sending.receiver.accepted] == ["1.0", "2.0", "2.0", "2.0", "2.0"]
    (record,) = caplog.records
    assert "OTEL_EXPORTER_PRW_PROTOCOL=1.0" in record.getMessage()
    assert not sending.errors


@pytest.mark.parametrize("left", [0.00159, 0.0049])
def test_no_request_begins_with_practically_no_time_left(left):
    """It said that the receiver "did not answer within 0.00159 s"."""
    sending = Sending()
    (_,) = sending.send(request(names(1)), window=sending.within(left))
    assert not sending.receiver.posts
    assert "deadline" in str(sending.errors[0])


@pytest.mark.parametrize("left", [0.00159, 0.0049])
def test_no_request_is_repeated_with_practically_no_time_left(left):
    sending = Sending(in_turn(then=failure(503)))
    (_,) = sending.send(request(names(1)), window=sending.within(0.1 + left))
    assert len(sending.receiver.posts) == 1
    assert "503" in str(sending.errors[0])


def test_a_request_with_little_time_says_why_it_had_no_more():
    sending = Sending(in_turn(then=Retryable("it did not answer within 0.2 s", cause=Cause.TIMEOUT)))
    sending.send(request(names(1)), window=sending.within(0.2))
    assert "all that was left before the export's deadline" in str(sending.errors[0])


def test_an_attempt_that_the_deadline_ends_hides_nothing_that_the_receiver_said_before():
    cut = Retryable("it did not answer within 0.2 s", cause=Cause.TIMEOUT)
    sending = Sending(in_turn(failure(503), then=cut))
    sending.send(request(names(1)), window=sending.within(0.3))
    assert len(sending.receiver.posts) == 2
    (error,) = sending.errors
    assert error.status == 503


@pytest.mark.parametrize(("wait", "told"), [(5.0, [60.0]), (61.0, [])], ids=["in time", "beyond the deadline"])
def test_a_failure_is_only_told_as_tried_again_where_it_is(wait, told):
    said = []
    sending = Sending(in_turn(failure(503, retry_after=wait)), on_failure=lambda _error, left: said.append(left))
    sending.send(request(names(1)), window=sending.within(60.005))
    assert said == pytest.approx(told)


def test_a_limit_that_was_met_by_chance_is_forgotten():
    sending = Sending(in_turn(*[failure(429)] * 12))
    waiting = [request(names(1000))]
    while waiting:
        waiting = [left for each in waiting for left in sending.send(each, window=sending.within(10))]
    sizes = []
    for value in range(2, 12):
        sending.forget()
        sending.clock.now += 60
        sending.send(request(names(1000), value))
        sizes.append(len(sending.receiver.posts))
    assert sizes[0] <= 8
    assert sizes[-1] == 1


def test_where_only_1_0_passes_that_is_said(caplog):
    sending = Sending(burst(1))
    waiting = [request(names(1), protocol="2.0")]
    for _ in range(3):
        waiting = [left for each in waiting for left in sending.send(each, window=sending.within(10))]
    assert not waiting
    assert sending.receiver.values == {"series_0": [1.0]}
    assert sending.sender.protocol == "1.0"
    (record,) = caplog.records
    assert "1.0" in record.getMessage()
    assert "metadata" in record.getMessage()


def test_requests_that_hinder_each_other_are_not_halved():
    """They may be refused only because another one is under way."""
    refusals = in_turn(*[failure(429)] * 4)

    def answer(post):
        if post.names != {"other"}:
            return refusals(post)
        assert not sending.send(request(names(100), batch=1))
        return None

    sending = Sending(answer)
    assert not sending.send(request(["other"], batch=2))
    assert [post.size for post in sending.receiver.posts] == [1, *[100] * 5]


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
    assert not sending.errors


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
    assert [record.getMessage() for record in caplog.records if "continuing with 1.0" in record.getMessage()] == [
        "The receiver does not speak Remote Write 2.0 (it answered 415: ): continuing with 1.0"
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
    assert len(sending.errors) == 1
