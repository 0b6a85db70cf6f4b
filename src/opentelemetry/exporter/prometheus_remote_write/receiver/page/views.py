"""What the page asks for, as data that JSON has."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ...model.remote_write import BUCKET_BOUND, METRIC_NAME, Labels
from ..store import Store, StoredFamily, StoredTarget
from ..store.streams import StoredStream, by_stream, streams
from ..store.summary import Summary, rate_window, summary
from .facets import Wanted, facets, matches
from .plots import distribution, finite, lines
from .promql import query

_SHOWN_STREAMS = 100
_SHOWN_EXEMPLARS = 20
_SHOWN_ROWS = 200


def metrics(store: Store) -> dict[str, Any]:
    """Return a line about each metric, and where it comes from."""
    with store.lock:
        families = [store.families[name] for name in sorted(store.families) if name != "target_info"]
        return {
            "metrics": [_listed(summary(store, family), family) for family in families],
            "state": _state(store),
        }


def metric(store: Store, name: str, wanted: Wanted) -> dict[str, Any] | None:
    """Return everything about a metric's wanted series, or None where there is no such metric."""
    with store.lock:
        family = store.families.get(name)
        if family is None:
            return None
        chosen = [series for series in family.series.values() if matches(series.by_name, wanted)]
        grouped = by_stream(chosen)
        shown = streams(store, family, chosen, _SHOWN_STREAMS)
        is_histogram = family.type == "histogram"
        return {
            **_described(summary(store, family)),
            "streams": len(grouped),
            "facets": facets(by_stream(family.series.values()), wanted),
            "plot": distribution(store, chosen) if is_histogram else lines(store, chosen, is_rate=family.is_cumulative),
            "table": [_row(stream) for stream in shown],
            "more": len(grouped) - len(shown),
            "exemplars": _exemplars(shown),
            "promql": query(family, wanted, rate_window(store)),
            "is_rate": family.is_cumulative,
            "state": _state(store),
        }


def senders(store: Store) -> dict[str, Any]:
    """Return who sends, and the last pushes and rejections, the last one first."""
    with store.lock:
        now = store.clock()
        return {
            "targets": [
                {
                    "job": sender.target.job,
                    "instance": sender.target.instance,
                    "pushes": sender.pushes,
                    "age": now - sender.heard,
                    "interval": sender.interval,
                    "stopped": sender.has_stopped(now),
                    "info": [label for label in sender.info if label[0] not in {METRIC_NAME, "job", "instance"}],
                }
                for sender in store.senders.all()[:_SHOWN_ROWS]
            ],
            "pushes": [
                {
                    "at": push.at,
                    "from": _from(push.targets, push.senders),
                    "protocol": push.protocol,
                    "bytes": push.size,
                    "series": push.series,
                    "samples": push.samples,
                    "seconds": push.seconds,
                    "repeated": push.repeated,
                }
                for push in list(store.pushes)[: -_SHOWN_ROWS - 1 : -1]
            ],
            "rejections": [
                {"at": each.at, "status": each.status, "reason": each.reason, "path": each.path}
                for each in list(store.rejections)[: -_SHOWN_ROWS - 1 : -1]
            ],
            "state": _state(store),
        }


def _state(store: Store) -> dict[str, Any]:
    now = store.clock()
    all_senders = store.senders.all()
    return {
        "series": store.size,
        "keep_series": store.keep_series,
        "keep": store.keep,
        "pushes": store.counts["pushes"],
        "rejections": store.counts["rejections"],
        "forgotten": store.counts["forgotten"],
        "passed_over": store.counts["passed_over"],
        "processes": sum(not sender.has_stopped(now) for sender in all_senders),
        "age": min((now - sender.heard for sender in all_senders), default=None),
    }


def _listed(line: Summary, family: StoredFamily) -> dict[str, Any]:
    groups = Counter(
        (series.by_name.get("job", ""), series.by_name.get("otel_scope_name", "")) for series in family.series.values()
    )
    return {
        **_described(line),
        "groups": [{"job": job, "scope": scope, "series": number} for (job, scope), number in sorted(groups.items())],
    }


def _described(line: Summary) -> dict[str, Any]:
    return {
        "name": line.name,
        "type": line.type,
        "unit": line.unit,
        "help": line.help,
        "series": line.series,
        "rate": finite(line.rate),
        "p50": finite(line.p50),
        "p95": finite(line.p95),
        "lowest": finite(line.lowest),
        "highest": finite(line.highest),
        "total": finite(line.total),
        "trend": [finite(value) for value in line.trend],
        "stopped": line.has_stopped,
        "age": line.age,
    }


def _row(stream: StoredStream) -> dict[str, Any]:
    return {
        "labels": _labels(stream.labels),
        "value": finite(stream.value),
        "rate": finite(stream.rate),
        "p50": finite(stream.p50),
        "p95": finite(stream.p95),
        "age": stream.age,
        "stopped": stream.has_stopped,
    }


def _exemplars(shown: list[StoredStream]) -> list[dict[str, Any]]:
    found = sorted((exemplar for stream in shown for exemplar in stream.exemplars), key=lambda each: -each.timestamp)
    distinct = list(dict.fromkeys(found))
    return [
        {"time": each.timestamp, "value": finite(each.value), "labels": _labels(each.labels)}
        for each in distinct[:_SHOWN_EXEMPLARS]
    ]


def _labels(labels: Labels) -> list[tuple[str, str]]:
    return [label for label in labels if label[0] not in {METRIC_NAME, BUCKET_BOUND}]


def _from(targets: tuple[StoredTarget, ...], number: int) -> str:
    if not targets:
        return ""
    first = f"{targets[0].job} {targets[0].instance}".strip()
    return first if number == 1 else f"{first} and {number - 1} more"
