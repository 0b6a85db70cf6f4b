"""What arrives, one JSON object a line for each sample, for programs."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator
from typing import Any

from ..model.remote_write import Exemplar
from .notation import value_text
from .received import Histogram, Received, Sample, Series


def json_lines(received: Received) -> Iterator[str]:
    """Yield a line for each sample and each native histogram of a request.

    Timestamps are in milliseconds. JSON has no number for infinity and NaN, so these are the strings ``+Inf``,
    ``-Inf``, ``NaN`` and ``stale``. The exemplars of a series stand beside its last sample.

    Args:
        received: The request.
    """
    for series in received.series:
        values: list[Sample | Histogram] = [*series.samples, *series.histograms]
        for value in values:
            exemplars = series.exemplars if value is values[-1] else ()
            yield json.dumps(_object(received.protocol, series, value, exemplars), separators=(",", ":"))


def _object(
    protocol: str, series: Series, value: Sample | Histogram, exemplars: tuple[Exemplar, ...]
) -> dict[str, Any]:
    """Leave out what is unset."""
    line: dict[str, Any] = {"protocol": protocol, "labels": dict(series.labels), "timestamp": value.timestamp}
    if value.start_timestamp:
        line["start_timestamp"] = value.start_timestamp
    if isinstance(value, Sample):
        line["value"] = _jsonable(value.value)
    else:
        fields = dataclasses.asdict(value)
        line["histogram"] = {name: _jsonable(fields[name]) for name in fields if not name.endswith("timestamp")}
    if exemplars:
        line["exemplars"] = [
            {"labels": dict(each.labels), "value": _jsonable(each.value), "timestamp": each.timestamp}
            for each in exemplars
        ]
    if series.metadata:
        line["metadata"] = dataclasses.asdict(series.metadata)
    return line


def _jsonable(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return value_text(value)
    return [_jsonable(each) for each in value] if isinstance(value, tuple) else value
