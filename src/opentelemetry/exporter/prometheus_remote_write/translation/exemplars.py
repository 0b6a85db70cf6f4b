"""Exemplars: example measurements of a data point, each with the span in which it was taken.

The rules are the OpenTelemetry specification's ("Prometheus and OpenMetrics Compatibility", Exemplars); the limit of
128 characters is OpenMetrics's, which Prometheus enforces.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from ..errors import Untranslatable
from ..messages.text import valid_text
from ..model.remote_write import Exemplar
from ..model.timestamps import milliseconds
from .attribute_values import attribute_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..model.remote_write import Labels

_MAX_CHARACTERS = 128  # in all names and values of one exemplar


def prometheus_exemplars(exemplars: Iterable[Any]) -> tuple[Exemplar, ...]:
    """Return the exemplars of a data point in a series' order: by time, then by value.

    An exemplar that is not as the SDK makes them, or whose value is NaN, is dropped: it only supplements a data point,
    which is sent anyway.

    Args:
        exemplars: Objects like the SDK's, with ``value``, ``time_unix_nano``, ``trace_id``, ``span_id`` and
            ``filtered_attributes``.
    """
    translated = [exemplar for exemplar in map(_prometheus_exemplar, exemplars) if exemplar is not None]
    translated.sort(key=_time_and_value)
    return tuple(translated)


def bucket_of(value: float, bounds: Sequence[float]) -> int:
    """Return the bucket that holds a value: the first whose bound is not less, or ``len(bounds)`` for the last.

    Args:
        value: What was measured.
        bounds: The upper bounds of the buckets, ascending.
    """
    return bisect_left(bounds, value)


def _time_and_value(exemplar: Exemplar) -> tuple[int, float]:
    return exemplar.timestamp, exemplar.value


def _prometheus_exemplar(exemplar: Any) -> Exemplar | None:
    try:
        value = exemplar.value
        if not isinstance(value, int | float) or math.isnan(value):
            return None
        labels = _labels(exemplar.trace_id, exemplar.span_id, exemplar.filtered_attributes or {})
        return Exemplar(labels, float(value), milliseconds(exemplar.time_unix_nano))
    except Exception:  # noqa: BLE001 - whatever a foreign object raises, its data point is sent without it
        return None


def _labels(trace_id: int | None, span_id: int | None, attributes: Any) -> Labels:
    """Return the sorted labels; only the ids if the attributes cannot be written, or are too long together."""
    ids = {}
    if trace_id:
        ids["trace_id"] = _hexadecimal(trace_id, digits=32)
    if span_id:
        ids["span_id"] = _hexadecimal(span_id, digits=16)
    try:
        # Names are not escaped, because they do not identify a series.
        texts = {valid_text(name): attribute_text(value) for name, value in attributes.items()}
    except Untranslatable:
        texts = {}
    labels = {name: text for name, text in texts.items() if name and text} | ids
    if sum(len(name) + len(text) for name, text in labels.items()) > _MAX_CHARACTERS:
        labels = ids
    return tuple(sorted(labels.items()))


def _hexadecimal(identifier: int, *, digits: int) -> str:
    if not (isinstance(identifier, int) and 0 <= identifier < 16**digits):
        raise ValueError(identifier)
    return format(identifier, f"0{digits}x")
