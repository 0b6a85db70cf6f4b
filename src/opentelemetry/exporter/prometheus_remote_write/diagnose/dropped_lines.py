"""What the exporter says that it drops, found among the lines that a program writes to stderr."""

from __future__ import annotations

import re

_BEGINNINGS = re.compile(
    "(?P<dropped>Metric ['\"].*?)[.] Logged once"
    "|(?P<exceeded>The process has reached max_series=.*?)[.] Most"
    "|(?P<unsent>Metrics (?:were not delivered|are lost|are not sent).*)"
)


def dropped(line: str) -> str | None:
    """Return what a line says was dropped and why; None where it says nothing of the kind.

    Args:
        line: Of the program, with or without what its logging puts in front.
    """
    found = _BEGINNINGS.search(line)
    return next(text for text in found.groups() if text).strip() if found else None
