"""The suite's group "retry": the same request again, or not."""

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver import ScriptedAnswer

QUICK = {"min_backoff": 1, "max_backoff": 2}


@pytest.fixture(params=["2.0", "1.0"])
def push(start_application, request):
    """push(*statuses): the application whose push was answered with these, then taken; and whether it was accepted."""

    def push(*statuses):
        answers = [ScriptedAnswer(status, body=b"no") for status in statuses]
        application = start_application(answers=answers, protocol=request.param, **QUICK)
        application.meter.create_gauge("test_metric").set(42)
        return application, application.push()

    return push


def refused(application):
    return [request.body for request in application.receiver.rejected]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_no_retry_on_4xx(push, status):
    application, accepted = push(*[status] * 10)
    assert not accepted
    # Two at most, says the suite. 401 and 403 have a second attempt, because a secret may have been exchanged.
    bodies = refused(application)
    assert bodies.count(bodies[0]) == (2 if status in {401, 403} else 1)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_retry_on_5xx(push, status):
    application, accepted = push(status, status)
    assert accepted
    first, second = refused(application)
    assert first == second == application.receiver.received[0].body
    assert application.receiver.values("test_metric") == [42]


def test_may_retry_on_429(push):
    application, accepted = push(429)
    assert accepted
    assert refused(application) == [application.receiver.received[0].body]


def test_retries_are_numbered(push):
    application, _ = push(500, 500)
    requests = application.receiver.rejected + application.receiver.received[:1]
    assert [request.headers["Retry-Attempt"] for request in requests] == [None, "1", "2"]
