"""One thing that was looked at, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Level(str, Enum):
    """How good a finding is: only a failure keeps metrics from arriving."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        level: How good it is.
        topic: A short name of it, under which ``docs/how-to/check.md`` explains a warning or a failure.
        text: What was found; where it is not good, the cause.
        cure: What to do where it is not good.
        seconds: How long it took, for what happens on the network.
        section: The part of the report that it belongs to.
    """

    level: Level
    topic: str
    text: str
    cure: str = ""
    seconds: float | None = None
    section: str = ""


def ok(topic: str, text: str, *, seconds: float | None = None) -> Finding:
    """Return a finding that is as it should be."""
    return Finding(Level.OK, topic, text, seconds=seconds)


def warning(topic: str, text: str, cure: str, *, seconds: float | None = None) -> Finding:
    """Return a finding that does not keep metrics from arriving, but is hardly meant so."""
    return Finding(Level.WARNING, topic, text, cure, seconds)


def failure(topic: str, text: str, cure: str, *, seconds: float | None = None) -> Finding:
    """Return a finding because of which metrics do not arrive."""
    return Finding(Level.FAILURE, topic, text, cure, seconds)


def arrives(findings: Iterable[Finding]) -> bool:
    """Return whether metrics would arrive, as far as was looked."""
    return all(finding.level is not Level.FAILURE for finding in findings)
