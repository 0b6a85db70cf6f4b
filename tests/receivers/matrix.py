"""Measures what receivers make of what is pushed: every feature with every protocol, and every limit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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


def measure_limit(limit: Limit, protocol: str) -> tuple[Outcome, str]:
    """Return what becomes of what runs into a limit, with a server of its own, and the server's version."""
    server = RECEIVERS[limit.receiver].make(**limit.options)
    with server, Trial(server, protocol=protocol, **limit.settings) as trial:
        return trial.outcome(limit.push(trial)), server.version


def limit_protocols(limit: Limit) -> list[str]:
    """Return the protocols to measure a limit with: each that the receiver speaks."""
    return [protocol for protocol in RECEIVERS[limit.receiver].protocols if protocol != "auto"]
