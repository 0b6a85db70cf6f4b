"""The suite's group "backoff". Gaps are only ever shown to be long enough: how late a busy machine is says nothing."""

import time
from email.utils import formatdate
from itertools import pairwise

import pytest

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.delivery.retry import Backoff
from opentelemetry.exporter.prometheus_remote_write.receiver import ScriptedAnswer


@pytest.fixture
def gaps(start_application):
    """gaps(status, times, headers=, **settings): seconds between one answer and the next request."""

    def push(status, times, *, headers=None, **settings):
        arrived = []

        def answer(_request):
            arrived.append(time.monotonic())
            return ScriptedAnswer(status, headers or {}) if len(arrived) <= times else None

        application = start_application(answers=answer, **settings)
        application.meter.create_gauge("test_metric").set(42)
        assert application.push()
        assert len(arrived) == times + 1
        return [after - before for before, after in pairwise(arrived)]

    return push


def test_backoff_required(gaps):
    assert min(gaps(503, 3, min_backoff=10)) >= 0.010


def test_exponential_backoff_on_retries(gaps):
    found = gaps(503, 4, min_backoff=4)
    assert all(gap >= least for gap, least in zip(found, (0.004, 0.008, 0.016, 0.032), strict=True))


def test_exponential_backoff_is_never_much_shorter_than_before():
    backoff = Backoff(0.1, 5.0)
    longest = [backoff.wait(attempt, None, lambda: 1.0) for attempt in range(1, 12)]
    shortest = [backoff.wait(attempt, None, lambda: 0.0) for attempt in range(1, 12)]
    assert all(after >= 0.8 * before for before, after in zip(longest, shortest[1:], strict=False))


def test_backoff_max_delay():
    settings = Settings(endpoint="http://prometheus")
    backoff = Backoff(settings.min_backoff / 1000, settings.max_backoff / 1000)
    assert max(backoff.wait(attempt, None, lambda: 1.0) for attempt in range(1, 100)) <= 60


def test_backoff_with_jitter():
    backoff = Backoff(0.1, 5.0)
    assert len({backoff.wait(3, None, lambda number=number: number / 10) for number in range(10)}) == 10


def test_retry_after_header_respected(gaps):
    assert gaps(429, 1, headers={"Retry-After": "1"}, min_backoff=1)[0] >= 1


def test_retry_after_may_be_a_date(gaps):
    in_two_seconds = formatdate(time.time() + 2, usegmt=True)  # which has no fractions of a second
    assert gaps(503, 1, headers={"Retry-After": in_two_seconds}, min_backoff=1)[0] >= 0.5
