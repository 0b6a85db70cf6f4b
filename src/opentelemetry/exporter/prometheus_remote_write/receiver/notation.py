"""A series and its values as text for people: one line, and harmless on a terminal whatever a label's value holds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..model.stale_marker import is_stale
from .received import Histogram

if TYPE_CHECKING:
    from ..model.remote_write import Labels

_LONGEST_WHOLE_NUMBER = 1e15


def printable(text: str) -> str:
    """Return text with everything that a terminal may act on (control characters, line ends) escaped as in Python."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def label_list(labels: Labels) -> str:
    """Return labels as PromQL writes them, without braces: ``a="1", b="2"``."""
    return ", ".join(
        f'{printable(name)}="{printable(value.replace(chr(92), chr(92) * 2).replace(chr(34), chr(92) + chr(34)))}"'
        for name, value in labels
    )


def series_text(labels: Labels) -> str:
    """Return a series as PromQL writes it: ``name{a="1", b="2"}``, also for label sets that break the rules."""
    name = dict(labels).get("__name__", "")
    rest = tuple(label for label in labels if label != ("__name__", name))
    return f"{printable(name)}{{{label_list(rest)}}}"


def value_text(value: float | Histogram) -> str:
    """Return the value of a sample, or the count and sum of a native histogram."""
    if isinstance(value, Histogram):
        return "stale" if is_stale(value.sum) else f"count={value_text(value.count)} sum={value_text(value.sum)}"
    if is_stale(value):
        return "stale"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if math.isnan(value):
        return "NaN"
    return f"{value:.0f}" if value == int(value) and abs(value) < _LONGEST_WHOLE_NUMBER else f"{value:.6g}"
