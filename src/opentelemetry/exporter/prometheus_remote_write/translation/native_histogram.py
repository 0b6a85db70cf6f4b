"""Histograms in Prometheus's sparse form: spans of buckets, and the differences between their counts.

OpenTelemetry numbers an exponential bucket by its lower bound and lists every bucket between the first and the last.
Prometheus numbers it by its upper bound and lists runs of buckets. The rules are the OpenTelemetry specification's
("Prometheus and OpenMetrics Compatibility", Exponential Histograms) and those of Prometheus's specification of native
histograms. A histogram for which a receiver would drop the whole request is dropped here.
"""

from __future__ import annotations

import math
from itertools import repeat
from operator import lt
from typing import TYPE_CHECKING

from ..errors import Untranslatable
from ..model.remote_write import CUSTOM_BUCKETS, NativeHistogram, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

_COARSEST_SCHEMA = -4
_FINEST_SCHEMA = 8

# The specification's default for a point without a zero threshold.
_DEFAULT_ZERO_THRESHOLD = 1e-128

# Up to this many empty buckets are cheaper as zeros than as a new span.
_LONGEST_FILLED_GAP = 2

# A span's offset is a sint32; a count is a uint64, but the difference between two is a sint64.
_MAX_OFFSET = (1 << 31) - 1
_MAX_COUNT = (1 << 63) - 1


def exponential(  # noqa: PLR0913 - one for each field of a data point
    *,
    scale: int,
    zero_count: int,
    positive_offset: int,
    positive_counts: Sequence[int],
    negative_offset: int,
    negative_counts: Sequence[int],
    sum: float | None,  # noqa: A002 - the name that the field has on both sides
    count: int,
    zero_threshold: float = 0.0,
) -> NativeHistogram:
    """Return an exponential histogram's point as a native histogram.

    A scale above 8 is reduced to 8 by merging buckets, without losing counts.

    Args:
        scale: The base of the bucket bounds is ``2 ** 2 ** -scale``.
        zero_count: How many values were too close to zero for a bucket.
        positive_offset: The number, by lower bound, of the first bucket in ``positive_counts``.
        positive_counts: How many values fell into each of the buckets that follow one another from there.
        negative_offset: The same for the negative values, by their absolute value.
        negative_counts: The same for the negative values.
        sum: The sum of all values; NaN where one of them was NaN.
        count: How many values there were.
        zero_threshold: The upper bound of what counts as zero; 0 if the point has none.

    Raises:
        Untranslatable: ``scale``: there is no schema so coarse. ``sum``: it is missing or not a float. ``buckets``:
            their counts are negative, out of range, or do not add up to ``count``.
    """
    if scale < _COARSEST_SCHEMA:
        raise Untranslatable("scale", f"its scale is {scale}, but a native histogram's is at least {_COARSEST_SCHEMA}")
    if sum is None:
        raise Untranslatable("sum", "it has no sum, but a native histogram must have one")
    total_sum = _as_float(sum)
    schema = min(scale, _FINEST_SCHEMA)
    shift = scale - schema
    # One merged bucket more leads from the lower bound to the upper.
    upper = 1 << shift
    positive_spans, positive_deltas, positive_total = _sparse(positive_counts, positive_offset + upper, shift)
    negative_spans, negative_deltas, negative_total = _sparse(negative_counts, negative_offset + upper, shift)
    # Only NaN is counted without falling into a bucket.
    _check_count(zero_count + positive_total + negative_total, count, may_miss=math.isnan(total_sum))
    if zero_count < 0:
        raise Untranslatable("buckets", f"its zero bucket holds {zero_count} values")
    return NativeHistogram(
        count=count,
        sum=total_sum,
        schema=schema,
        zero_threshold=zero_threshold if zero_threshold > 0 else _DEFAULT_ZERO_THRESHOLD,
        zero_count=zero_count,
        negative_spans=negative_spans,
        negative_deltas=negative_deltas,
        positive_spans=positive_spans,
        positive_deltas=positive_deltas,
    )


def custom_buckets(
    bounds: Sequence[float],
    counts: Sequence[int],
    sum: float | None,  # noqa: A002 - the name that the field has on both sides
    count: int,
) -> NativeHistogram:
    """Return an explicit histogram's point as a native histogram with custom buckets.

    Args:
        bounds: The upper bounds of the buckets; the last bucket has none. An explicit +Inf at the end is understood.
        counts: How many values fell into each bucket.
        sum: The sum of all values; if it is missing, Prometheus's translator writes 0, and so do we.
        count: How many values there were.

    Raises:
        Untranslatable: ``bounds``: they are not finite and ascending, or fewer than the buckets need. ``buckets``:
            their counts are negative, out of range, or do not add up to ``count``. ``sum``: it is not a float. The
            point still has its classic form.
    """
    if len(counts) > len(bounds) + 1:
        raise Untranslatable("bounds", f"it has {len(counts)} buckets, but {len(bounds)} bounds")
    if bounds and bounds[-1] == math.inf:
        bounds, counts = _without_infinity(bounds, counts)
    if not (all(map(math.isfinite, bounds)) and all(map(lt, bounds, bounds[1:]))):
        raise Untranslatable("bounds", f"its bounds are not finite and ascending: {list(bounds)}")
    spans, deltas, total = _sparse(counts, 0, 0)
    _check_count(total, count, may_miss=False)
    return NativeHistogram(
        count=count,
        sum=0.0 if sum is None else _as_float(sum),
        schema=CUSTOM_BUCKETS,
        zero_threshold=0.0,
        zero_count=0,
        negative_spans=(),
        negative_deltas=(),
        positive_spans=spans,
        positive_deltas=deltas,
        custom_bounds=tuple(bounds),
    )


def _sparse(counts: Sequence[int], first: int, shift: int) -> tuple[tuple[Span, ...], tuple[int, ...], int]:
    """Return the spans, the deltas and the sum of dense counts.

    No span is empty, and none begins or ends with an empty bucket.

    Args:
        counts: The dense counts.
        first: The number of the first bucket, before merging.
        shift: ``2 ** shift`` neighbouring buckets become one.
    """
    spans: list[Span] = []
    deltas: list[int] = []
    total = 0
    offset = length = 0  # the current span
    end = 0  # one past the last bucket written
    previous = 0  # what that bucket holds
    for number, count in enumerate(counts, first):
        if not count:
            continue
        if count < 0:
            raise Untranslatable("buckets", f"a bucket holds {count} values")
        total += count
        bucket = number >> shift
        gap = bucket - end
        if length and gap < 0:  # part of the last bucket written
            deltas[-1] += count
            previous += count
            continue
        if length and gap <= _LONGEST_FILLED_GAP:
            if gap:
                deltas.append(-previous)
                deltas.extend(repeat(0, gap - 1))
                previous = 0
            length += gap + 1
        else:
            if length:
                spans.append(Span(offset, length))
            offset, length = gap, 1
        deltas.append(count - previous)
        previous = count
        end = bucket + 1
    if length:
        spans.append(Span(offset, length))
        if abs(spans[0].offset) > _MAX_OFFSET:
            raise Untranslatable("buckets", f"its first bucket is number {spans[0].offset}")
    return tuple(spans), tuple(deltas), total


def _without_infinity(bounds: Sequence[float], counts: Sequence[int]) -> tuple[Sequence[float], Sequence[int]]:
    """Return bounds and counts without an explicit +Inf: everything above the last finite bound is one bucket."""
    finite = bounds[:-1]
    return finite, (*counts[: len(finite)], sum(counts[len(finite) :]))


def _as_float(value: float) -> float:
    """Return a sum as a float; Python's integers can be larger than any float."""
    try:
        return float(value)
    except OverflowError:
        raise Untranslatable("sum", "its sum is too large for a float") from None


def _check_count(total: int, count: int, *, may_miss: bool) -> None:
    """Raise Untranslatable unless the buckets hold ``count`` values, or at most as many if some may be missing."""
    # A float sum shows that one of the counts was not a whole number.
    if not (isinstance(total, int) and isinstance(count, int) and 0 <= count <= _MAX_COUNT):
        raise Untranslatable("buckets", f"its count is {count}, and its buckets hold {total} values")
    if total != count and not (may_miss and total < count):
        raise Untranslatable("buckets", f"its count is {count}, but its buckets hold {total} values")
