"""What was pushed, in Prometheus's text format with OpenMetrics's end marker: promtool and grep can read it.

A counter's family has the name of its series, with ``_total``, as in the text format and OpenMetrics 2.0. There are no
timestamps, which the two formats write differently, and no exemplars, which only one of them has.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from ..model.remote_write import BUCKET_BOUND, METRIC_NAME, Labels
from ..receiver.received import Histogram, ReceivedMetadata
from .pushes import Pushes, Value, without_bound

_TYPES = {"counter": "counter", "gauge": "gauge", "histogram": "histogram", "summary": "summary", "info": "gauge"}
_LEGACY_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LEGACY_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_ORDER = {"_bucket": 0, "_sum": 1, "_count": 2}


def text_format(pushes: Pushes) -> Iterator[str]:
    """Yield the lines, each family after the other, each series with its last value."""
    families: dict[str, list[Labels]] = {}
    for labels in pushes.latest:
        families.setdefault(pushes.family(dict(labels)[METRIC_NAME]), []).append(labels)
    for family in sorted(families):
        yield from _head(family, pushes.metadata(family))
        for labels in sorted(families[family], key=_order):
            yield from _lines(labels, pushes.latest[labels])
    yield "# EOF"


def _head(family: str, metadata: ReceivedMetadata) -> Iterator[str]:
    name = family if _LEGACY_METRIC.fullmatch(family) else f'"{_escaped(family)}"'
    if metadata.help:
        yield f"# HELP {name} {_escaped(metadata.help, quotes=False)}"
    if kind := _TYPES.get(metadata.type):
        yield f"# TYPE {name} {kind}"
    if metadata.unit and family.removesuffix("_total").endswith(f"_{metadata.unit}"):
        yield f"# UNIT {name} {metadata.unit}"


def _order(labels: Labels) -> tuple[list[tuple[str, str]], int, float]:
    """Return a sort key: label sets separately, buckets in order of their bounds, then sum and count."""
    found = dict(labels)
    suffix = next((number for suffix, number in _ORDER.items() if found[METRIC_NAME].endswith(suffix)), 0)
    return sorted(without_bound(labels).items()), suffix, _bound(found.get(BUCKET_BOUND, ""))


def _bound(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _lines(labels: Labels, value: Value) -> Iterator[str]:
    if not isinstance(value, Histogram):
        yield f"{_series(labels)} {number(value.value)}"
        return
    # The text format has no native histograms: write what both forms have in common, the totals.
    name = dict(labels)[METRIC_NAME]
    rest = [pair for pair in labels if pair[0] != METRIC_NAME]
    yield f"{_series(((METRIC_NAME, f'{name}_bucket'), *rest, (BUCKET_BOUND, '+Inf')))} {number(value.count)}"
    yield f"{_series(((METRIC_NAME, f'{name}_sum'), *rest))} {number(value.sum)}"
    yield f"{_series(((METRIC_NAME, f'{name}_count'), *rest))} {number(value.count)}"


def _series(labels: Labels) -> str:
    name = dict(labels)[METRIC_NAME]
    pairs = [f'{_label(key)}="{_escaped(value)}"' for key, value in labels if key != METRIC_NAME]
    if _LEGACY_METRIC.fullmatch(name):
        return f"{name}{{{','.join(pairs)}}}" if pairs else name
    return f"{{{','.join([f'{chr(34)}{_escaped(name)}{chr(34)}', *pairs])}}}"


def _label(name: str) -> str:
    return name if _LEGACY_LABEL.fullmatch(name) else f'"{_escaped(name)}"'


def _escaped(text: str, *, quotes: bool = True) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quotes else text


def number(value: float) -> str:
    """Return a number as both formats write it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(float(value))
