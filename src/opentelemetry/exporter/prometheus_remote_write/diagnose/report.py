"""Findings as text for a terminal, and as data for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..messages.text import one_line, plural
from .finding import Finding, Level, arrives

_COLOURS = {Level.OK: "\x1b[32m", Level.WARNING: "\x1b[33m", Level.FAILURE: "\x1b[31m"}
_PLAIN = "\x1b[0m"
_INDENT = " " * 10
_LONGEST = 2000


class TextReport:
    """Writes findings line by line, as they come.

    Args:
        colour: Whether the reader is a terminal that wants it.
    """

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour
        self._section = ""

    def lines(self, finding: Finding) -> str:
        """Return the lines of a finding, the section's name in front of its first."""
        head = f"{finding.section}\n" if finding.section != self._section else ""
        self._section = finding.section
        level = f"{finding.level.value:<7}"
        if self._colour:
            level = f"{_COLOURS[finding.level]}{level}{_PLAIN}"
        took = f" ({finding.seconds:.3f} s)" if finding.seconds is not None else ""
        text = f"{head}  {level} {finding.topic}: {one_line(finding.text, _LONGEST)}{took}\n"
        return text + (f"{_INDENT}cure: {one_line(finding.cure, _LONGEST)}\n" if finding.cure else "")


def conclusion(findings: Sequence[Finding]) -> str:
    """Return the last line of the text."""
    counts = Counter(finding.level for finding in findings)
    numbers = [
        f"{counts[level]} {plural(counts[level], level.value)}"
        for level in (Level.FAILURE, Level.WARNING)
        if counts[level]
    ]
    verdict = "metrics would arrive" if arrives(findings) else "metrics would not arrive"
    return f"{verdict}{': ' if numbers else ''}{', '.join(numbers)}\n"


def document(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the findings as JSON data, without empty fields."""
    return {
        "arrives": arrives(findings),
        "findings": [
            {
                "section": finding.section,
                "topic": finding.topic,
                "level": finding.level.value,
                "text": finding.text,
                **({"cure": finding.cure} if finding.cure else {}),
                **({"seconds": round(finding.seconds, 6)} if finding.seconds is not None else {}),
            }
            for finding in findings
        ],
    }
