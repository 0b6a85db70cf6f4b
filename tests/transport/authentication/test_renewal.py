"""Credentials that end: fetched late, kept, renewed early and by one thread, and used while they are valid."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from opentelemetry.exporter.prometheus_remote_write.errors import Retryable, Unsendable
from opentelemetry.exporter.prometheus_remote_write.transport.authentication.renewal import Lease, Renewal
from opentelemetry.exporter.prometheus_remote_write.transport.deadline import deadline
from opentelemetry.exporter.prometheus_remote_write.transport.renewal_failures import RenewalFailures


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Source:
    """What issues credentials, each numbered, for an hour; or fails, or hangs."""

    def __init__(self, clock):
        self.clock = clock
        self.count = 0
        self.life = 3600.0
        self.error = None
        self.goes_on = threading.Event()
        self.goes_on.set()

    def __call__(self):
        self.goes_on.wait(60)
        if self.error:
            raise self.error
        self.count += 1
        return Lease(f"credentials {self.count}", self.clock() + self.life)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def source(clock):
    return Source(clock)


@pytest.fixture
def renewal(source, clock):
    return Renewal("The token", source, clock)


def test_nothing_is_fetched_before_it_is_needed(renewal, source):
    assert source.count == 0
    assert [renewal.current() for _ in range(3)] == ["credentials 1"] * 3


@pytest.mark.parametrize(("life", "early"), [(3600.0, 300.0), (60.0, 12.0)])
def test_it_is_renewed_shortly_before_its_end(renewal, source, clock, life, early):
    source.life = life
    renewal.current()
    clock.now += life - early - 1
    assert renewal.current() == "credentials 1"
    clock.now += 1
    assert renewal.current() == "credentials 2"


def test_what_has_no_end_is_kept(source, clock):
    renewal = Renewal("The token", lambda: Lease("for ever", float("inf")), clock)
    renewal.current()
    clock.now += 1e9
    assert renewal.current() == "for ever"


def test_what_is_refused_is_renewed_at_once(renewal):
    renewal.current()
    renewal.refused()
    assert [renewal.current(), renewal.current()] == ["credentials 2"] * 2


def test_requests_that_are_refused_together_renew_once(renewal, source):
    used, refused = threading.Barrier(4), threading.Barrier(4)

    def request():
        renewal.current()
        used.wait(60)
        renewal.refused()
        refused.wait(60)
        return renewal.current()

    with ThreadPoolExecutor(4) as pool:
        assert {each.result() for each in [pool.submit(request) for _ in range(4)]} == {"credentials 2"}


def test_a_late_refusal_of_what_was_replaced_changes_nothing(renewal, source):
    renewal.current()
    renewal.refused()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(renewal.current).result() == "credentials 2"
    renewal.refused()  # of the first
    assert renewal.current() == "credentials 2"


def test_many_threads_fetch_once(renewal, source):
    source.goes_on.clear()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(renewal.current) for _ in range(8)]
        source.goes_on.set()
        assert {each.result() for each in waiting} == {"credentials 1"}
    assert source.count == 1


@pytest.mark.parametrize("error", [Retryable("the provider is away"), Unsendable("no such client")])
def test_each_failure_is_counted_whether_something_valid_is_there_or_not(source, clock, error):
    failures = RenewalFailures()
    renewal = Renewal("The token", source, clock, on_failure=failures.of("token"))
    assert failures.counts == {"token": 0}
    source.error = error
    with pytest.raises(type(error)):
        renewal.current()
    source.error = None
    renewal.current()
    source.error = error
    renewal.refused()
    renewal.current()
    assert failures.counts == {"token": 2}
    failures.after_fork()
    assert failures.counts == {"token": 0}


def test_while_it_is_valid_a_failure_is_told_once_and_tried_again_later(renewal, source, clock, caplog):
    renewal.current()
    source.error = Retryable("the provider is away")
    clock.now += 3400
    assert [renewal.current() for _ in range(2)] == ["credentials 1"] * 2
    clock.now += 31
    assert renewal.current() == "credentials 1"
    assert caplog.messages == ["the provider is away; keeping what is valid for another 200 s"]
    source.error = None
    clock.now += 31
    assert renewal.current() == "credentials 2"


def test_after_its_end_the_failure_is_raised(renewal, source, clock):
    renewal.current()
    source.error = Unsendable("the client is unknown")
    clock.now += 3601
    with pytest.raises(Unsendable, match="the client is unknown"):
        renewal.current()


def test_a_source_that_hangs_is_given_up_with_the_deadline(renewal, source):
    source.goes_on.clear()
    with deadline(0.2), pytest.raises(Retryable, match=r"^The token did not come within 0\.\d+ s$"):
        renewal.current()
    source.goes_on.set()  # what it says later is not lost
    assert renewal.current() == "credentials 1"
