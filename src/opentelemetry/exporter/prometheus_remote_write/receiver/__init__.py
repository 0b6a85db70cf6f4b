"""The strict embedded receiver behind `otel-prw receive`, the demo and the tests.

It refuses what the protocol forbids, although Prometheus accepts much of it. The exporter does not import it.
"""

from __future__ import annotations

from .answers import Answers, ScriptedAnswer
from .received import (
    Histogram,
    Received,
    ReceivedMetadata,
    ReceivedRequest,
    RejectedRequest,
    Sample,
    Series,
)
from .receiver import Receiver

__all__ = [
    "Answers",
    "Histogram",
    "Received",
    "ReceivedMetadata",
    "ReceivedRequest",
    "Receiver",
    "RejectedRequest",
    "Sample",
    "ScriptedAnswer",
    "Series",
]
