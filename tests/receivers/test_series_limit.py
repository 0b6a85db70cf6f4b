"""Thanos' limit on the series of a tenant, which it learns from a Prometheus: all waits until there are fewer."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import pytest

from tests.receivers.limits import MANY, many
from tests.receivers.receivers import RECEIVERS
from tests.receivers.trial import Trial
from tests.transport.scripted_server import ScriptedServer, answer

LIMIT = 10
ASKS_EVERY = 15.0  # seconds
ANSWER = "tenant is above active series limit"


@pytest.fixture
def monitoring():
    """A Prometheus that says how many series the tenant has."""
    tenant = SimpleNamespace(series=1, url="")

    def say(exchange):
        result = [{"metric": {"tenant": "default-tenant"}, "value": [time.time(), str(tenant.series)]}]
        said = {"status": "success", "data": {"resultType": "vector", "result": result}}
        return answer(200, {"Content-Type": "application/json"}, json.dumps(said).encode())(exchange)

    with ScriptedServer(say) as server:
        tenant.url = server.url
        yield tenant


def test_what_is_above_thanos_limit_of_series_waits_whole_until_there_are_fewer(monitoring):
    server = RECEIVERS["thanos"].make(limits={"head_series_limit": LIMIT}, monitoring=monitoring.url)
    with server, Trial(server) as trial:
        many(trial)
        monitoring.series = LIMIT + 1
        while trial.accepted[-1]:
            trial.now += 1
            many(trial)
            time.sleep(0.5)
        refused = [each for each in trial.between.passed if each.status != 200]
        assert {(each.status, each.words) for each in refused} == {(429, ANSWER)}
        monitoring.series = 1
        deadline = time.monotonic() + 2 * ASKS_EVERY
        while not trial.accepted[-1]:
            assert time.monotonic() < deadline
            trial.now += 1
            compared = many(trial)
            time.sleep(0.5)
        assert trial.outcome(compared).counted == {"accepted": trial.held()}
        assert trial.held() >= MANY * len(trial.accepted)
