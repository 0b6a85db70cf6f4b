"""How observations are distributed over buckets: native and classic histograms in one form, and quantiles of it."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from ...model.remote_write import CUSTOM_BUCKETS, Span
from ..received import Histogram


class Bucket(NamedTuple):
    """A range of values: above ``lower``, up to ``upper``; ``is_exponential`` in a native histogram's."""

    lower: float
    upper: float
    is_exponential: bool = False


Distribution: TypeAlias = Mapping[Bucket, float]
"""How many observations each bucket has; buckets that have none may be missing."""


class Packed(NamedTuple):
    """A distribution that takes little memory: states of one histogram share their buckets."""

    buckets: tuple[Bucket, ...]
    counts: array[float]

    def unpacked(self) -> dict[Bucket, float]:
        """Return the distribution."""
        return dict(zip(self.buckets, self.counts, strict=True))


def pack(distribution: Distribution, like: Packed | None) -> Packed:
    """Return a distribution that takes little memory.

    Args:
        distribution: What to pack.
        like: The state before, whose buckets are shared if they are the same.
    """
    buckets = tuple(distribution)
    if like is not None and like.buckets == buckets:
        buckets = like.buckets
    return Packed(buckets, array("d", distribution.values()))


def of_native(histogram: Histogram) -> dict[Bucket, float]:
    """Return the buckets of a native histogram, lowest first."""
    if histogram.schema == CUSTOM_BUCKETS:
        bounds = (-math.inf, *histogram.custom_bounds, math.inf)
        placed = _placed(histogram.positive_spans, histogram.positive_counts)
        return {Bucket(bounds[place], bounds[place + 1]): count for place, count in placed}
    base = math.pow(2.0, -histogram.schema)

    def bound(place: int) -> float:
        return math.pow(2.0, min(base * place, 1023.0))

    negative = [
        (Bucket(-bound(place), -bound(place - 1), is_exponential=True), count)
        for place, count in _placed(histogram.negative_spans, histogram.negative_counts)
    ]
    positive = [
        (Bucket(bound(place - 1), bound(place), is_exponential=True), count)
        for place, count in _placed(histogram.positive_spans, histogram.positive_counts)
    ]
    zero = Bucket(-histogram.zero_threshold if negative else 0.0, histogram.zero_threshold)
    middle = [(zero, histogram.zero_count)] if histogram.zero_count else []
    return dict([*reversed(negative), *middle, *positive])


def of_classic(cumulative: Mapping[float, float]) -> dict[Bucket, float]:
    """Return the buckets of a classic histogram, lowest first.

    Args:
        cumulative: By upper bound, how many observations are not above it.
    """
    ordered = sorted(cumulative.items())
    if not ordered:
        return {}
    lowest, first = ordered[0]
    buckets = {Bucket(min(0.0, lowest) if lowest > 0 else -math.inf, lowest): first}
    for (lower, below), (upper, count) in pairwise(ordered):
        buckets[Bucket(lower, upper)] = max(count - below, 0.0)
    return buckets


def total(distributions: Iterable[Distribution]) -> dict[Bucket, float]:
    """Return the sum of several, lowest bucket first."""
    summed: dict[Bucket, float] = {}
    for each in distributions:
        for bucket, count in each.items():
            summed[bucket] = summed.get(bucket, 0.0) + count
    return dict(sorted(summed.items()))


def increase(before: Distribution, after: Distribution) -> dict[Bucket, float]:
    """Return what was added between two states of one histogram; where one has less than before, it began anew."""
    if any(after.get(bucket, 0.0) < count for bucket, count in before.items()):
        return dict(after)
    return {bucket: count - before.get(bucket, 0.0) for bucket, count in after.items()}


def quantile(q: float, distribution: Distribution) -> float | None:
    """Estimate a quantile as PromQL's ``histogram_quantile`` does; None where there is no observation.

    Inside a bucket values are taken to be spread evenly, in an exponential bucket on a logarithmic scale. What falls
    into the last bucket of a classic histogram, which has no end, is taken for its lower bound.

    Args:
        q: From 0 to 1.
        distribution: The buckets, lowest first.
    """
    observations = sum(distribution.values())
    if observations <= 0:
        return None
    rank = q * observations
    below = 0.0
    found = Bucket(0.0, 0.0)
    share = 1.0
    for bucket, count in distribution.items():
        if count <= 0:
            continue
        found, share = bucket, min(max((rank - below) / count, 0.0), 1.0)
        below += count
        if below >= rank:
            break
    return _inside(found, share)


def _inside(bucket: Bucket, share: float) -> float:
    lower, upper, is_exponential = bucket
    if math.isinf(upper):
        return lower
    if math.isinf(lower):
        return upper
    if is_exponential:
        return lower * math.pow(upper / lower, share)
    return lower + (upper - lower) * share


def _placed(spans: Iterable[Span], counts: Iterable[float]) -> list[tuple[int, float]]:
    """Return the number of each bucket with its count."""
    places: list[int] = []
    place = 0
    for span in spans:
        place += span.offset
        places.extend(range(place, place + span.length))
        place += span.length
    return list(zip(places, counts, strict=False))
