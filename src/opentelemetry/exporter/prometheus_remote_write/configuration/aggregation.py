"""How the SDK aggregates for this exporter: choose histograms by a variable, without writing views."""

from __future__ import annotations

from collections.abc import Mapping
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
    """Explicit buckets whose boundaries give way to the instrument's own advice."""

    def _create_aggregation(self, instrument: Any, *arguments: Any, **keywords: Any) -> Any:
        advice = getattr(getattr(instrument, "_advisory", None), "explicit_bucket_boundaries", None)
        if advice is not None:
            advised = ExplicitBucketHistogramAggregation(advice)
            return advised._create_aggregation(instrument, *arguments, **keywords)  # noqa: SLF001 - the SDK has no other way
        return super()._create_aggregation(instrument, *arguments, **keywords)


class _SumOfUnknownStart(SumAggregation):
    """The total of an observable counter, whose start is unknown.

    The SDK takes the time of the first report for its start, as if the total had been zero then.
    """

    def _create_aggregation(self, instrument: Any, attributes: Any, reservoir_factory: Any, *_start: int) -> Any:
        return super()._create_aggregation(instrument, attributes, reservoir_factory, 0)


def temporality(given: dict[type, AggregationTemporality] | None) -> dict[type, AggregationTemporality]:
    """Return the temporality for each kind of instrument: cumulative, because Prometheus knows only totals.

    Args:
        given: The user's preference for some instruments.

    Raises:
        TypeError: It does not map kinds of instruments.
    """
    _check("preferred_temporality", given)
    return {**dict.fromkeys(INSTRUMENTS, AggregationTemporality.CUMULATIVE), **(given or {})}


def aggregation(settings: Settings, given: dict[type, Aggregation] | None) -> dict[type, Aggregation]:
    """Return the aggregation for the kinds of instrument that do not get the SDK's default.

    Args:
        settings: The default for histograms, and their boundaries.
        given: The user's preference for some instruments; it overrides the settings.

    Raises:
        TypeError: It does not map kinds of instruments.
    """
    _check("preferred_aggregation", given)
    chosen: dict[type, Aggregation] = {ObservableCounter: _SumOfUnknownStart()}
    if settings.default_histogram_aggregation == "base2_exponential_bucket_histogram":
        chosen[Histogram] = ExponentialBucketHistogramAggregation()
    elif settings.histogram_boundaries:
        chosen[Histogram] = _WithDefaultBoundaries(settings.histogram_boundaries)
    return {**chosen, **(given or {})}


def _check(name: str, given: object) -> None:
    if given is None:
        return
    if not isinstance(given, Mapping):
        raise TypeError(f"{name} must map kinds of instruments, not be of the type {type(given).__name__}")
    for kind in given:
        if kind not in INSTRUMENTS:
            raise TypeError(
                f"{name} has the key {kind!r}, which is not an instrument class of opentelemetry.sdk.metrics"
            )
