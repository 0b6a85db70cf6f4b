"""How the SDK aggregates for this exporter: so somebody who cannot write views chooses histograms by a variable."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.metrics import (
    Counter,
    Histogram,
    ObservableCounter,
    ObservableGauge,
    ObservableUpDownCounter,
    UpDownCounter,
)
from opentelemetry.sdk.metrics.export import AggregationTemporality
from opentelemetry.sdk.metrics.view import (
    Aggregation,
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
    SumAggregation,
)

from .settings import Settings

INSTRUMENTS: tuple[type, ...] = (
    Counter,
    UpDownCounter,
    Histogram,
    ObservableCounter,
    ObservableUpDownCounter,
    ObservableGauge,
)


class _WithDefaultBoundaries(ExplicitBucketHistogramAggregation):
    """Explicit buckets whose boundaries give way to those that the instrument advises."""

    def _create_aggregation(self, instrument: Any, *arguments: Any, **keywords: Any) -> Any:
        advice = getattr(getattr(instrument, "_advisory", None), "explicit_bucket_boundaries", None)
        if advice is not None:
            advised = ExplicitBucketHistogramAggregation(advice)
            return advised._create_aggregation(instrument, *arguments, **keywords)  # noqa: SLF001 - the SDK has no other way
        return super()._create_aggregation(instrument, *arguments, **keywords)


class _SumOfUnknownStart(SumAggregation):
    """What an observable counter reports: a total of which nobody knows since when it has been counted.

    The SDK takes the moment of the first report for its start, as if the total had been zero then.
    """

    def _create_aggregation(self, instrument: Any, attributes: Any, reservoir_factory: Any, *_start: int) -> Any:
        return super()._create_aggregation(instrument, attributes, reservoir_factory, 0)


def temporality(given: dict[type, AggregationTemporality] | None) -> dict[type, AggregationTemporality]:
    """Return the temporality for each kind of instrument: cumulative, for Prometheus knows only totals.

    Args:
        given: What the user prefers for some instruments.
    """
    return {**dict.fromkeys(INSTRUMENTS, AggregationTemporality.CUMULATIVE), **(given or {})}


def aggregation(settings: Settings, given: dict[type, Aggregation] | None) -> dict[type, Aggregation]:
    """Return the aggregation for kinds of instrument that are not to have the SDK's default.

    Args:
        settings: The default for histograms, and their boundaries.
        given: What the user prefers for some instruments; it wins over the settings.
    """
    chosen: dict[type, Aggregation] = {ObservableCounter: _SumOfUnknownStart()}
    if settings.default_histogram_aggregation == "base2_exponential_bucket_histogram":
        chosen[Histogram] = ExponentialBucketHistogramAggregation()
    elif settings.histogram_boundaries:
        chosen[Histogram] = _WithDefaultBoundaries(settings.histogram_boundaries)
    return {**chosen, **(given or {})}
