"""The query that draws in Prometheus what the page draws."""

from __future__ import annotations

import re

from ..store import Role, StoredFamily
from .facets import Wanted

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_QUANTILE = 0.95


def query(family: StoredFamily, wanted: Wanted, window: int) -> str:
    """Return a metric's query in PromQL.

    Args:
        family: The metric.
        wanted: Which of its series.
        window: The range of a rate, in milliseconds.
    """
    seconds = f"[{max(window // 1000, 1)}s]"
    if family.type == "histogram":
        is_native = any(series.role is Role.NATIVE for series in family.series.values())
        if is_native:
            return f"histogram_quantile({_QUANTILE}, sum(rate({_selector(family.name, wanted)}{seconds})))"
        buckets = _selector(f"{family.name}_bucket", wanted)
        return f"histogram_quantile({_QUANTILE}, sum by (le) (rate({buckets}{seconds})))"
    selector = _selector(family.name, wanted)
    return f"rate({selector}{seconds})" if family.is_cumulative else selector


def _selector(name: str, wanted: Wanted) -> str:
    matchers = [_matcher(label, values) for label, values in sorted(wanted.items())]
    if not _NAME.fullmatch(name):
        return f"{{{', '.join([_quoted(name), *matchers])}}}"
    return f"{name}{{{', '.join(matchers)}}}" if matchers else name


def _matcher(label: str, values: frozenset[str]) -> str:
    name = label if _LABEL.fullmatch(label) else _quoted(label)
    if len(values) == 1:
        return f"{name}={_quoted(next(iter(values)))}"
    return f"{name}=~{_quoted('|'.join(map(re.escape, sorted(values))))}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
