"""What arrives as plain lines: one for each push, and one for each metric in it."""

from __future__ import annotations

from collections.abc import Iterator

from ..messages.text import plural
from .notation import printable
from .quantities import per_second, quantity, unit_of
from .received import Received, RejectedRequest
from .store import Store, StoredTarget
from .store.summary import Summary, summary

_LONGEST_NAME = 100


def push_lines(store: Store, received: Received) -> Iterator[str]:
    """Yield a line for a push and one for each metric in it, as the store sees it now.

    Args:
        store: Where the push has been taken in.
        received: The push.
    """
    again = ", the same again" if received.repeated else ""
    size = f"{len(received.series):,} series, {len(received.body):,} bytes"
    with store.lock:
        targets = {StoredTarget.of(dict(series.labels)) for series in received.series}
        found = (store.family_of(series.labels) for series in received.series)
        families = {family.name: family for family in found if family is not None and family.name != "target_info"}
        lines = [summary(store, families[name]) for name in sorted(families)]
    yield f"push {store.counts['pushes']:,}: {senders(targets)}, protocol {received.protocol}, {size}{again}"
    names = [printable(cut_text(line.name)) for line in lines]
    width = max(map(len, names), default=0)
    for name, line in zip(names, lines, strict=True):
        yield f"  {name:{width}}  {_told(line)}"


def rejection_line(rejected: RejectedRequest) -> str:
    """Return the line for a rejection."""
    return f"rejected with {rejected.status}: {printable(rejected.reason)}"


def senders(targets: set[StoredTarget]) -> str:
    """Return who sends: the jobs, and how many processes they are."""
    if not targets:
        return "nobody"
    jobs = ", ".join(printable(job or "no job") for job in sorted({target.job for target in targets})[:3])
    return f"{jobs} ({len(targets):,} {plural(len(targets), 'process', 'processes')})"


def cut_text(name: str) -> str:
    """Return the beginning of a name that is absurdly long."""
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def type_word(kind: str) -> str:
    """Return a metric's type in five letters, as on the screen."""
    return {"counter": "count", "histogram": "hist", "gaugehistogram": "hist", "unknown": "?"}.get(kind, kind[:5])


def level(line: Summary) -> str:
    """Return a gauge's value, or the lowest and the highest of its series."""
    unit = unit_of(line.name, line.unit)
    lowest, highest = quantity(line.lowest, unit), quantity(line.highest, unit)
    return lowest if lowest == highest else f"{lowest} to {highest}"


def _told(line: Summary) -> str:
    unit = unit_of(line.name, line.unit)
    parts = [line.type, f"{line.series:,} series"]
    if line.lowest is not None:
        parts.append(level(line))
    if line.total is not None:
        parts.append(f"{quantity(line.total)} in all")
    if line.rate is not None:
        parts.append(per_second(line.rate))
    if line.p50 is not None and line.p95 is not None:
        parts += [f"p50 {quantity(line.p50, unit)}", f"p95 {quantity(line.p95, unit)}"]
    return ", ".join(parts)
