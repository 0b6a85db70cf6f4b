"""What belongs to one sample of prometheus_client: its time, its exemplar, its native histogram."""

from __future__ import annotations

from typing import Any

from ..errors import Untranslatable
from ..messages.text import valid_text
from ..model.remote_write import Exemplar, NativeHistogram, Span
from ..model.timestamps import milliseconds

_MAX_EXEMPLAR_CHARACTERS = 128  # of all label names and values (OpenMetrics 1.0, section Exemplars)


def timestamp_of(time: Any, now: int) -> int:
    """Return a sample's time in milliseconds since the epoch; ``now`` if it has none.

    Args:
        time: In seconds, as a number or the library's ``Timestamp``.
        now: In milliseconds.
    """
    return now if time is None else milliseconds(round(float(time) * 1000) * 1_000_000)


def start_of(created: float, now: int) -> int:
    """Return since when a value counts, in milliseconds since the epoch; 0 if the collector gives no sensible time.

    Args:
        created: In seconds.
        now: In milliseconds.
    """
    try:
        start = milliseconds(round(created * 1e9))
    except (ValueError, OverflowError, Untranslatable):
        return 0
    return start if start <= now else 0


def exemplar_of(exemplar: Any, now: int) -> Exemplar | None:
    """Return an exemplar as it is sent; None if its labels are too long or it is not one.

    Args:
        exemplar: The library's.
        now: The time for an exemplar without one, in milliseconds since the epoch.
    """
    try:
        labels = tuple(sorted((valid_text(name), valid_text(text)) for name, text in exemplar.labels.items()))
        if sum(len(name) + len(text) for name, text in labels) > _MAX_EXEMPLAR_CHARACTERS:
            return None
        return Exemplar(labels, float(exemplar.value), timestamp_of(exemplar.timestamp, now))
    except (AttributeError, TypeError, ValueError, Untranslatable):
        return None


def native_histogram_of(histogram: Any) -> NativeHistogram:
    """Return a native histogram as it is sent."""
    return NativeHistogram(
        count=int(histogram.count_value),
        sum=float(histogram.sum_value),
        schema=int(histogram.schema),
        zero_threshold=float(histogram.zero_threshold),
        zero_count=int(histogram.zero_count),
        negative_spans=_spans(histogram.neg_spans),
        negative_deltas=tuple(histogram.neg_deltas or ()),
        positive_spans=_spans(histogram.pos_spans),
        positive_deltas=tuple(histogram.pos_deltas or ()),
    )


def _spans(spans: Any) -> tuple[Span, ...]:
    return tuple(Span(span.offset, span.length) for span in spans or ())
