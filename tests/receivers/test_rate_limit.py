"""A rate limit whose burst is below one request: the exporter finds out what passes, and keeps to it."""

from __future__ import annotations

import time

import pytest

from tests.receivers.limits import LIMITS, MANY, many
from tests.receivers.receivers import RECEIVERS
from tests.receivers.trial import Trial
from tests.servers.fixtures import obtain

EXPORTS = 12


@pytest.mark.parametrize("protocol", ["1.0", "2.0", "auto"])
def test_after_a_few_exports_cortex_refuses_nothing_any_more(protocol):
    cortex = RECEIVERS["cortex"]
    with (
        obtain("cortex", lambda: cortex.make(**LIMITS["cortex burst"].options)) as server,
        Trial(server, protocol=protocol, disable_zero_samples=True) as trial,
    ):
        refused = []
        for _ in range(EXPORTS):
            before = len(trial.between.passed)
            trial.now += 1
            many(trial)
            refused.append(sum(each.status == 429 for each in trial.between.passed[before:]))
            time.sleep(0.1)  # a short interval
        assert trial.accepted[-6:] == [True] * 6, refused
        assert sorted(refused[-6:])[3] == 0, refused
        assert trial.held() >= EXPORTS * MANY
