"""A finding: one thing that was checked, and the result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Level(str, Enum):
    """The severity of a finding: only a failure keeps metrics from arriving."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True)
class Finding:
    """One thing that was checked.

    Args:
        level: Its severity.
        topic: A short name, under which ``docs/how-to/check.md`` explains a warning or a failure.
        text: What was found; for a warning or a failure, the cause.
        cure: What to do about a warning or a failure.
        seconds: How long it took, for network operations.
        section: The part of the report that it belongs to.
    """

    level: Level
    topic: str
    text: str
    cure: str = ""
    seconds: float | None = None
    section: str = ""


def ok(topic: str, text: str, *, seconds: float | None = None) -> Finding:
    """Return a finding that everything is in order."""
    return Finding(Level.OK, topic, text, seconds=seconds)


def warning(topic: str, text: str, cure: str, *, seconds: float | None = None) -> Finding:
    """Return a finding that does not keep metrics from arriving, but is probably a mistake."""
    return Finding(Level.WARNING, topic, text, cure, seconds)


def failure(topic: str, text: str, cure: str, *, seconds: float | None = None) -> Finding:
    """Return a finding that keeps metrics from arriving."""
    return Finding(Level.FAILURE, topic, text, cure, seconds)


def arrives(findings: Iterable[Finding]) -> bool:
    """Return whether metrics would arrive, as far as was checked."""
    return all(finding.level is not Level.FAILURE for finding in findings)
