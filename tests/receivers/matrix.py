"""Measures what receivers make of what is pushed: every feature with every protocol, and every limit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.receivers.features import FEATURES, Feature
from tests.receivers.limits import Limit
from tests.receivers.receivers import RECEIVERS
from tests.receivers.trial import Outcome, Trial


def cases() -> Iterator[tuple[str, str, str]]:
    """Yield a receiver, a feature and a protocol for each that can be sent."""
    for receiver_name, receiver in RECEIVERS.items():
        for feature_name, feature in FEATURES.items():
            for protocol in receiver.protocols:
                if protocol in feature.protocols:
                    yield receiver_name, feature_name, protocol


def measure(server: Any, feature: Feature, protocol: str) -> Outcome:
    """Return what becomes of a feature that is sent to a running server by a protocol."""
    with Trial(server, protocol=protocol, **feature.settings) as trial:
        return trial.outcome(feature.measure(trial))


class Limited(NamedTuple):
    """What becomes of what runs into a limit.

    Args:
        outcome: Of the good series.
        held: How many samples of all series the receiver holds, by its own count.
        version: The receiver's.
    """

    outcome: Outcome
    held: int
    version: str


def measure_limit(limit: Limit, protocol: str) -> Limited:
    """Return what becomes of what runs into a limit, with a server of its own."""
    server = RECEIVERS[limit.receiver].make(**limit.options)
    with server, Trial(server, protocol=protocol, **limit.settings) as trial:
        outcome = trial.outcome(limit.push(trial))
        return Limited(outcome, trial.held(), server.version)


def limit_protocols(limit: Limit) -> list[str]:
    """Return the protocols to measure a limit with: each that the receiver speaks."""
    return [protocol for protocol in RECEIVERS[limit.receiver].protocols if protocol != "auto"]
