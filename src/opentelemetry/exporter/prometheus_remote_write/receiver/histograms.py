"""When a native histogram is valid (Prometheus's specification of native histograms, section Data model)."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from ..model.remote_write import CUSTOM_BUCKETS
from ..model.stale_marker import is_stale

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..model.remote_write import Span
    from .received import Histogram

_EXPONENTIAL = range(-4, 9)
_RESET_HINTS = range(4)


def histogram_fault(histogram: Histogram, protocol: str) -> str | None:
    """Return the first thing that is wrong with a native histogram, or None.

    In a stale marker (its sum is the stale NaN) nothing else counts.

    Args:
        histogram: The histogram, its counts absolute.
        protocol: The version it came by, because 1.0 has no custom buckets.
    """
    if is_stale(histogram.sum):
        return None
    fault = next(_faults(histogram, protocol), None)
    return fault and f"native histogram at {histogram.timestamp}: {fault}"


def _faults(histogram: Histogram, protocol: str) -> Iterator[str]:
    if histogram.reset_hint not in _RESET_HINTS:
        yield f"reset_hint {histogram.reset_hint} is not known"
    if histogram.schema == CUSTOM_BUCKETS:
        if protocol == "1.0":
            yield "protocol 1.0 has no custom buckets"
        yield from _custom_bucket_faults(histogram)
    elif histogram.schema in _EXPONENTIAL:
        if histogram.custom_bounds:
            yield f"schema {histogram.schema} has no custom_values"
    else:
        yield f"schema {histogram.schema} is neither in -4..8 nor -53"
    if not 0 <= histogram.zero_threshold < math.inf:
        yield f"zero_threshold {histogram.zero_threshold} is not a finite number from 0"
    yield from _side_faults("positive", histogram.positive_spans, histogram.positive_counts)
    yield from _side_faults("negative", histogram.negative_spans, histogram.negative_counts)
    yield from _count_faults(histogram)


def _custom_bucket_faults(histogram: Histogram) -> Iterator[str]:
    bounds = histogram.custom_bounds
    if not all(map(math.isfinite, bounds)) or any(before >= bound for before, bound in pairwise(bounds)):
        yield "custom_values are not finite and rising"
    if histogram.negative_spans or histogram.negative_counts:
        yield "custom buckets have no negative side"
    if histogram.zero_count or histogram.zero_threshold:
        yield "custom buckets have no zero bucket"
    if any(span.offset < 0 for span in histogram.positive_spans):
        yield "custom buckets have no negative offset"
    if sum(span.offset + span.length for span in histogram.positive_spans) > len(bounds) + 1:
        yield f"there are buckets beyond the {len(bounds)} custom_values and the one above them"


def _side_faults(side: str, spans: Sequence[Span], counts: Sequence[float]) -> Iterator[str]:
    if any(span.offset < 0 for span in spans[1:]):
        yield f"a {side} span after the first has a negative offset"
    if (listed := sum(span.length for span in spans)) != len(counts):
        yield f"{side} spans have {listed} buckets, but there are {len(counts)} counts"
    if not all(count >= 0 for count in counts):
        yield f"a {side} bucket's count is not a number from 0"


def _count_faults(histogram: Histogram) -> Iterator[str]:
    """Yield what is wrong with the count: it is the sum of all buckets, plus observations of NaN."""
    total = histogram.zero_count + sum(histogram.positive_counts) + sum(histogram.negative_counts)
    if not histogram.zero_count >= 0:
        yield "zero_count is not a number from 0"
    if isinstance(histogram.count, int):
        sound = histogram.count == total or (math.isnan(histogram.sum) and histogram.count > total)
    else:
        sound = math.isclose(histogram.count, total) or (math.isnan(histogram.sum) and histogram.count > total)
    if not sound:
        yield f"count is {histogram.count}, but the buckets hold {total}"
