"""What a program would send and what that costs, as text for people and as data for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..messages.text import one_line, plural
from .pushes import Metric, Pushes
from .receiver_limits import LimitRefusal

_DAY = 86_400_000  # milliseconds
_LABELS_SHOWN = 8
_LONGEST = 300
_KILO = 1000
_NO_PUSH = (
    "nothing was pushed: the program is not written in Python, runs under a Python in which this package is not "
    f"installed (it is in {sys.executable}), switches OpenTelemetry off, or was killed before it could push"
)


class Preview(NamedTuple):
    """The results of a preview.

    Args:
        pushes: What came in.
        seconds: How long it took.
        interval: Between two pushes of the application, in milliseconds; 0 is one push, at its end.
        dropped: What the exporter reported as dropped, and why.
        refusals: What the receiver's limits would refuse.
    """

    pushes: Pushes
    seconds: float
    interval: float
    dropped: Sequence[str]
    refusals: Sequence[LimitRefusal]


def text(preview: Preview) -> Iterator[str]:
    """Yield the lines of the report."""
    pushes, metrics = preview.pushes, preview.pushes.metrics()
    if not pushes.count:
        yield f"0 pushes of 0 processes in {preview.seconds:.1f} s"
        yield _NO_PUSH
        yield from _left_out(preview)
        return
    versions = " and ".join(sorted(pushes.protocols))
    yield (
        f"{_count(pushes.count, 'push', 'pushes')} of {_count(pushes.processes, 'process', 'processes')} "
        f"in {preview.seconds:.1f} s (Remote Write {versions})"
    )
    yield ""
    yield from _table(metrics)
    yield ""
    yield _a_day(preview, metrics)
    if labels := [f"{one_line(name, _LONGEST)} ({number})" for name, number in pushes.label_values()[:_LABELS_SHOWN]]:
        yield f"labels with most values: {', '.join(labels)}"
    for metric in _growing(metrics):
        yield f"grows: {one_line(metric.name, _LONGEST)} had {metric.first} series at first, and has {metric.series}"
    yield from _left_out(preview)
    for refusal in preview.refusals:
        of = f" of {one_line(refusal.metric, _LONGEST)}" if refusal.metric else ""
        series = _count(refusal.series, "series", "series")
        why = one_line(refusal.example, _LONGEST)
        yield f"refused by the limit of {refusal.limit}: {series}{of}; {why}"


def _left_out(preview: Preview) -> Iterator[str]:
    for sentence in preview.dropped:
        yield f"dropped: {one_line(sentence, _LONGEST)}"
    for reason, number in preview.pushes.rejected.most_common():
        yield f"refused by the preview's own receiver, {_count(number, 'time')}: {one_line(reason, _LONGEST)}"


def document(preview: Preview) -> dict[str, Any]:
    """Return the report as JSON data."""
    metrics = preview.pushes.metrics()
    samples = sum(metric.samples for metric in metrics)
    size = sum(metric.bytes for metric in metrics)
    return {
        "seconds": round(preview.seconds, 3),
        "pushes": preview.pushes.count,
        "processes": preview.pushes.processes,
        "protocols": sorted(preview.pushes.protocols),
        "interval_milliseconds": preview.interval,
        "metrics": [_metric(metric) for metric in metrics],
        "total": {"series": sum(metric.series for metric in metrics), "samples": samples, "bytes": size},
        "a_day": {"samples": _daily(samples, preview.interval), "bytes": _daily(size, preview.interval)},
        "label_values": dict(preview.pushes.label_values()),
        "growing": [metric.name for metric in _growing(metrics)],
        "dropped": list(preview.dropped),
        "rejected": dict(preview.pushes.rejected),
        "refused_by_limits": [refusal._asdict() for refusal in preview.refusals],
    }


def _metric(metric: Metric) -> dict[str, Any]:
    return {
        "name": metric.name,
        "type": metric.metadata.type,
        "unit": metric.metadata.unit,
        "help": metric.metadata.help,
        "series": metric.series,
        "samples": metric.samples,
        "bytes": metric.bytes,
    }


def _table(metrics: Sequence[Metric]) -> Iterator[str]:
    total = ("total", "", "", *(f"{sum(column):,}" for column in zip(*_numbers(metrics), strict=True)))
    rows = [
        ("METRIC", "TYPE", "UNIT", "SERIES", "SAMPLES", "BYTES"),
        *((one_line(each.name, _LONGEST), each.metadata.type, each.metadata.unit, *map("{:,}".format, numbers))
          for each, numbers in zip(metrics, _numbers(metrics), strict=True)),
        total if metrics else ("nothing", *[""] * 5),
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    helps = ["", *(one_line(each.metadata.help, _LONGEST) for each in metrics), ""]
    for row, help_text in zip(rows, helps, strict=True):
        name, kind, unit, *numbers = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        right = [cell.strip().rjust(len(cell)) for cell in numbers]
        yield "  ".join((name, kind, unit, *right)).rstrip()
        if help_text:
            yield f"    {help_text}"


def _numbers(metrics: Sequence[Metric]) -> list[tuple[int, int, int]]:
    return [(metric.series, metric.samples, metric.bytes) for metric in metrics]


def _a_day(preview: Preview, metrics: Sequence[Metric]) -> str:
    samples, size = sum(metric.samples for metric in metrics), sum(metric.bytes for metric in metrics)
    if not preview.interval:
        return f"one push at the end: {_count(samples, 'sample')}, {_size(size)}"
    daily = f"{_count(_daily(samples, preview.interval), 'sample')} and {_size(_daily(size, preview.interval))} a day"
    return f"at its interval of {preview.interval / 1000:g} s: {daily}"


def _daily(number: int, interval: float) -> int:
    return round(number * _DAY / interval) if interval else number


def _growing(metrics: Sequence[Metric]) -> list[Metric]:
    growing = [metric for metric in metrics if metric.series > metric.first > 0]
    return sorted(growing, key=lambda metric: metric.first - metric.series)


def _count(number: int, one: str, more: str = "") -> str:
    return f"{number:,} {plural(number, one, more)}"


def _size(number: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < _KILO:
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.3g} {unit}"
        number /= _KILO
    return f"{number:.3g} TB"
