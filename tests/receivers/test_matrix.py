"""What real receivers hold of what is pushed, asked by PromQL, is what the SDK recorded."""

from __future__ import annotations

import pytest

from tests.receivers.features import FEATURES
from tests.receivers.limits import LIMITS, MANY
from tests.receivers.matrix import cases, limit_protocols, measure, measure_limit
from tests.receivers.trial import DROPPED, EXACT, PART_DROPPED, REFUSED, differences

# What a receiver does not hold, though all is done right. Everything else is exact.
LESS = {
    ("prometheus-stable", "native_histogram"): REFUSED,  # it has no flag for them
    ("prometheus-stable", "exemplars"): DROPPED,  # it has no flag for them
    ("prometheus-stable", "metadata"): DROPPED,  # Prometheus takes metadata for what it scrapes
    ("prometheus-lts", "metadata"): DROPPED,
    ("prometheus", "metadata"): DROPPED,
    ("cortex-default", "native_histogram"): DROPPED,
    ("cortex-default", "exemplars"): DROPPED,
    ("cortex-default", "utf_8"): REFUSED,
    ("thanos", "metadata"): DROPPED,
    ("thanos-default", "metadata"): DROPPED,
    ("thanos-default", "exemplars"): DROPPED,
    ("victoria-metrics", "native_histogram"): DROPPED,
    ("victoria-metrics", "exemplars"): DROPPED,
    ("victoria-metrics", "metadata"): DROPPED,
    ("victoria-metrics", "crash"): PART_DROPPED,  # it writes to its disk every few seconds
}


@pytest.mark.parametrize(
    ("server", "feature", "protocol"), [pytest.param(*case, id=" ".join(case)) for case in cases()], indirect=["server"]
)
def test_what_was_recorded_is_held(request, server, feature, protocol):
    receiver = request.node.callspec.params["server"]
    outcome = measure(server, FEATURES[feature], protocol)
    assert outcome.verdict == LESS.get((receiver, feature), EXACT), (differences(outcome.compared), outcome.said)


@pytest.mark.parametrize(
    ("name", "protocol"),
    [
        pytest.param(name, protocol, id=f"{name} {protocol}")
        for name in LIMITS
        for protocol in limit_protocols(LIMITS[name])
    ],
)
def test_beside_what_a_limit_refuses_all_good_series_are_held(name, protocol):
    limit = LIMITS[name]
    outcome, held, _ = measure_limit(limit, protocol)
    assert MANY - len(differences(outcome.compared)) == MANY - limit.lost, (outcome.said, outcome.passed)
    accepted, unknown = outcome.counted.get("accepted", 0), outcome.counted.get("unknown", 0)
    assert accepted <= held <= accepted + unknown, outcome.counted
