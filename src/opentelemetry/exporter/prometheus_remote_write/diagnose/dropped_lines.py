"""What the exporter reports as dropped, found among the lines that a program writes to stderr."""

from __future__ import annotations

import re

_BEGINNINGS = re.compile(
    "(?P<dropped>Metric ['\"].*?)[.] Logged once"
    "|(?P<exceeded>The process has reached max_series=.*?)[.] Most"
    "|(?P<unsent>Metrics (?:were not delivered|are lost|are not sent).*)"
)


def dropped(line: str) -> str | None:
    """Return what a line reports as dropped, and why; None for any other line.

    Args:
        line: A line of the program, with or without the prefix of its logging.
    """
    found = _BEGINNINGS.search(line)
    return next(text for text in found.groups() if text).strip() if found else None
