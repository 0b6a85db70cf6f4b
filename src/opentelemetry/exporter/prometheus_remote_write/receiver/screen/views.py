"""The four things that the screen can show, each as rows of a table made from the store."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from ...messages.text import plural
from ..lines import cut_text, type_word
from ..notation import label_list, printable
from ..quantities import is_moment, per_second, quantity, sparkline, unit_of
from ..store import Bucket, Store, StoredFamily
from ..store.streams import StoredStream, differing, streams
from ..store.summary import Summary, summaries
from .live_table import Column, TableRow

_FIGURES = (
    Column("RATE", 8, is_right=True),
    Column("P50", 8, is_right=True),
    Column("P95", 8, is_right=True),
    Column("TREND", 6, is_right=True),
)
METRICS = (Column("METRIC", 0), Column("TYPE", 6), Column("SERIES", 6, is_right=True), *_FIGURES)
STREAMS = (Column("LABELS", 0), Column("VALUE", 9, is_right=True), *_FIGURES)
TARGETS = (
    Column("JOB", 16),
    Column("INSTANCE", 20),
    Column("PUSHES", 7, is_right=True),
    Column("LAST", 8, is_right=True),
    Column(" TARGET INFO", 0),
)
REJECTIONS = (Column("TIME", 9), Column("STATUS", 7), Column("REASON", 0))

ORDERS: dict[str, Callable[[Summary], tuple[float, str]]] = {
    "name": lambda line: (0.0, line.name),
    "series": lambda line: (-line.series, line.name),
    "rate": lambda line: (-(line.rate or 0.0), line.name),
    "p95": lambda line: (-(line.p95 or 0.0), line.name),
    "age": lambda line: (line.age if line.has_stopped else 0.0, line.name),
}
"""By what the metrics can be sorted."""

_ROOM = 7
"""Characters of a figure: its column has one more, a blank."""
_LONGEST_BAR = 30
_TREND = 5  # steps of time, as many as there is room for


def metric_rows(store: Store, wanted: str, order: str) -> list[TableRow]:
    """Return a row for each metric whose name or help has a text in it."""
    found = [line for line in summaries(store) if wanted in line.name.lower() or wanted in line.help.lower()]
    return [_metric_row(line) for line in sorted(found, key=ORDERS[order])]


def stream_rows(found: Sequence[StoredStream], family: StoredFamily, wanted: str) -> list[TableRow]:
    """Return a row for each stream, with the labels that differ, whose labels have a text in them."""
    shown = differing(stream.labels for stream in found)
    unit = unit_of(family.name, family.described.unit)
    rows = []
    for stream in found:
        labels = label_list(tuple(label for label in stream.labels if label[0] in shown)) or "(no labels differ)"
        if wanted in labels.lower():
            rows.append(
                TableRow(label_list(stream.labels), _stream_cells(stream, labels, family, unit), stream.has_stopped)
            )
    return rows


def target_rows(store: Store) -> list[TableRow]:
    """Return a row for each job's instance."""
    with store.lock:
        now = store.clock()
        return [
            TableRow(
                repr(sender.target),
                (
                    sender.target.job or "-",
                    sender.target.instance or "-",
                    f"{sender.pushes:,}",
                    ago(now - sender.heard),
                    " "
                    + label_list(tuple(each for each in sender.info if each[0] not in {"__name__", "job", "instance"})),
                ),
                sender.has_stopped(now),
            )
            for sender in store.senders.all()
        ]


def rejection_rows(store: Store) -> list[TableRow]:
    """Return a row for each rejection, the last one first."""
    with store.lock:
        rejections = list(store.rejections)
    return [
        TableRow(
            str(number),
            (time.strftime("%H:%M:%S", time.localtime(each.at)), str(each.status), each.reason),
        )
        for number, each in reversed(list(enumerate(rejections)))
    ]


def found_streams(store: Store, name: str) -> tuple[StoredFamily, list[StoredStream]] | None:
    """Return a metric and its streams, or None where it is not kept any more."""
    with store.lock:
        family = store.families.get(name)
        return None if family is None else (family, streams(store, family))


def bars(stream: StoredStream, unit: str) -> str:
    """Return the buckets of a stream's last minute as bars."""
    filled = [(bucket, count) for bucket, count in stream.distribution.items() if count]
    most = max((count for _, count in filled), default=0.0)
    bounds = [_bound(bucket, unit) for bucket, _ in filled]
    width = max(map(len, bounds), default=0)
    return "\n".join(
        f"{bound:>{width}}  {'█' * max(round(count / most * _LONGEST_BAR), 1)} {quantity(count)}"
        for bound, (_, count) in zip(bounds, filled, strict=True)
    )


def title(store: Store) -> str:
    """Return the line at the top: who sends, how much, and when it came last."""
    with store.lock:
        now = store.clock()
        senders = [sender for sender in store.senders.all() if not sender.has_stopped(now)]
        last = max((sender.heard for sender in store.senders.all()), default=None)
        rejected = store.counts["rejections"]
        parts = [f"{len(senders):,} {plural(len(senders), 'process', 'processes')}", f"{store.size:,} series"]
    parts.append("waiting for the first push" if last is None else f"last push {ago(now - last)} ago")
    if rejected:
        parts.append(f"{rejected:,} rejected (r)")
    if store.counts["passed_over"] or store.counts["forgotten"]:
        parts.append(f"full: {store.keep_series:,} series kept")
    jobs = sorted({sender.target.job for sender in senders if sender.target.job})
    more = f" +{len(jobs) - 2}" if len(jobs) > 2 else ""  # noqa: PLR2004 - there is room for two
    return f"{printable(', '.join(jobs[:2]))}{more} {' · '.join(parts)}".strip()


def ago(seconds: float) -> str:
    """Return an age."""
    return quantity(float(max(int(seconds), 0)), "seconds") if seconds < 60 else quantity(seconds, "seconds")  # noqa: PLR2004 - seconds are whole


def _metric_row(line: Summary) -> TableRow:
    unit = unit_of(line.name, line.unit)
    return TableRow(
        line.name,
        (
            cut_text(line.name),
            type_word(line.type),
            f"{line.series:,}",
            _level(line, unit) if line.rate is None else _rate(line.rate),
            _brief(line.p50, unit),
            _brief(line.p95, unit),
            sparkline(line.trend[-_TREND:]),
        ),
        line.has_stopped,
    )


def _level(line: Summary, unit: str) -> str:
    """Return a gauge's value, the highest of several; of a moment the time of today, or the day."""
    if line.lowest is None or line.highest is None:
        return ""
    if line.lowest != line.highest:
        return f"≤{_brief(line.highest, unit, _ROOM - 1)}"
    if not is_moment(line.lowest, unit):
        return _brief(line.lowest, unit)
    moment = time.localtime(line.lowest)
    return time.strftime("%H:%M:%S" if moment[:3] == time.localtime()[:3] else "%d %b", moment)


def _brief(value: float | None, unit: str, room: int = _ROOM) -> str:
    """Return a value with as many digits as a column has room for, so that its unit is never cut off."""
    return _with_room(room, lambda digits: quantity(value, unit, digits))


def _rate(rate: float | None) -> str:
    return _with_room(_ROOM, lambda digits: per_second(rate, digits))


def _with_room(room: int, write: Callable[[int], str]) -> str:
    return next((text for digits in (3, 2) if len(text := write(digits)) <= room), write(1))


def _stream_cells(stream: StoredStream, labels: str, family: StoredFamily, unit: str) -> tuple[str, ...]:
    return (
        labels,
        _brief(stream.value, "" if family.type == "histogram" else unit, _ROOM + 1),
        _rate(stream.rate),
        _brief(stream.p50, unit),
        _brief(stream.p95, unit),
        sparkline(stream.trend[-_TREND:]),
    )


def _bound(bucket: Bucket, unit: str) -> str:
    if math.isinf(bucket.upper):
        return f"> {quantity(bucket.lower, unit)}"
    return f"≤ {quantity(bucket.upper, unit)}"
