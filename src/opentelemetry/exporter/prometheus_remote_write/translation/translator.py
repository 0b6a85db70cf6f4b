"""From the SDK's metrics data to series and samples (OpenTelemetry specification, "Prometheus and OpenMetrics").

``points.py``, ``histogram_points.py`` and ``native_points.py`` translate the points of a metric. This module does what
metrics have in common: the resource, the scope, the name, and dropping a metric that has no Prometheus form.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    ExponentialHistogram,
    Gauge,
    Histogram,
    Metric,
    MetricsData,
    ScopeMetrics,
    Sum,
)

from ..configuration.settings import Settings
from ..configuration.translation_strategy import TranslationStrategy
from ..errors import Untranslatable
from ..messages.text import error_text, valid_text
from ..model.family import FamilySamples
from ..model.remote_write import METRIC_NAME, Labels, MetricType
from ..model.timestamps import NANOSECONDS_PER_MILLISECOND
from ..system.time_slice import TimeSlice
from .dropped_points import DroppedPoints
from .extremes import WithExtremes
from .histogram_points import HistogramPoints
from .label_sets import LabelSets
from .labels import (
    shortened_values,
)
from .naming import (
    MetricKind,
    metric_name,
    unit_word,
)
from .native_points import CustomBucketPoints, exponential_points
from .points import MetricDescriptor, NumberPoints, Points
from .remembered import (
    MetricKey,
    RememberedResource,
    RememberedScope,
    metric_key,
)
from .scope_label_sets import label_sets_of
from .series_limit import SeriesLimit, SeriesUsage
from .series_registry import SeriesRegistry
from .target import target
from .unmatched_globs import UnmatchedGlobs
from .zero_samples import ZeroSamples

_KINDS = {
    Gauge: MetricKind.GAUGE,
    Histogram: MetricKind.HISTOGRAM,
    ExponentialHistogram: MetricKind.HISTOGRAM,
}

_ABOUT_EXPORTERS = ("otel.sdk.exporter.", "prometheus_remote_write.exporter.")
"""Scopes of exporters' metrics about themselves: few, and exempt from the limit that they report on."""


class Translator:
    """Translates export after export, and remembers what does not change between them.

    Args:
        settings: Names, labels and what to drop.
        dropped: Where dropped points are counted.
        resources_as_labels: Whether every resource attribute is copied onto every series.
        custom_buckets: Whether explicit histograms become native histograms with custom buckets.
        zero_samples: Decides on the zero samples of counters and histograms; None for no zero samples.
        series_limit: Shared by all exporters of the process.
        clock: Nanoseconds since the epoch; the time of ``target_info`` if nothing has been measured.
        time_slice: Yields the GIL between pieces of work.
    """

    def __init__(  # noqa: PLR0913 - all but two are by keyword
        self,
        settings: Settings,
        dropped: DroppedPoints,
        *,
        resources_as_labels: bool = False,
        custom_buckets: bool = False,
        zero_samples: ZeroSamples | None = None,
        series_limit: SeriesLimit | None = None,
        clock: Callable[[], int] = time.time_ns,
        time_slice: TimeSlice | None = None,
    ) -> None:
        self._settings = settings
        self._strategy = TranslationStrategy(settings.translation_strategy)
        self._resources_as_labels = resources_as_labels
        self._custom_buckets = custom_buckets
        self._dropped = dropped
        self._zero_samples = zero_samples
        self._clock = clock
        self._time_slice = time_slice or TimeSlice()
        self._series_limit = series_limit or SeriesLimit()
        self.registry = SeriesRegistry(SeriesUsage(settings.max_series, self._series_limit))
        # However many series there are, their target_info and the self-metrics are sent.
        self._unlimited = self.registry.beyond(SeriesUsage(0, self._series_limit))
        self._resources: list[RememberedResource] = []
        self.unmatched_globs = UnmatchedGlobs(settings)

    def translate(self, data: MetricsData) -> Iterator[FamilySamples]:
        """Translate one export.

        Args:
            data: What the SDK collected.

        Yields:
            The samples of each family that has something to send. Series that are missing are forgotten.
        """
        by_resource: dict[RememberedResource, list[ScopeMetrics]] = {}
        for of_resource in data.resource_metrics:
            try:
                resource = self._resource(of_resource.resource.attributes, (*self._resources, *by_resource))
                by_resource.setdefault(resource, []).extend(of_resource.scope_metrics)
            except Exception as error:  # noqa: BLE001 - a foreign producer's data may be wrong in any way
                self._dropped.drop("of a resource", _unexpected(error))
        for resource in self._resources:
            if resource not in by_resource:
                resource.release(self._time_slice)
        self._resources = list(by_resource)
        for resource, scopes in by_resource.items():
            yield from self._translate_resource(resource, scopes)
        self._dropped.log_exceeded(self._settings.max_series, self._series_limit.used)
        self.unmatched_globs.log()

    def release(self) -> None:
        """Give up all series."""
        for resource in self._resources:
            resource.release(self._time_slice)
        self._resources = []

    def detach(self) -> None:
        """Release the series limit, in whatever state the series are; nothing more is translated."""
        for registry in (self.registry, self._unlimited):
            registry.usage.detach()

    def _resource(self, attributes: Mapping[str, Any], known: Iterable[RememberedResource]) -> RememberedResource:
        for resource in known:
            if resource.attributes == attributes:
                return resource
        settings = self._settings
        self.unmatched_globs.note_attributes(attributes)
        made = target(
            attributes,
            strategy=self._strategy,
            namespace=settings.namespace,
            external_labels=settings.external_labels,
            resource_labels=settings.resource_labels,
            resources_as_labels=self._resources_as_labels,
            target_info=not settings.disable_target_info,
        )
        for sentence in made.left_out:
            self._dropped.drop("target_info", Untranslatable("resource attribute", sentence))
        return RememberedResource(attributes, made, self._info(made.info) if made.info else None)

    def _info(self, labels: Labels) -> NumberPoints:
        labels = shortened_values(labels, self._settings.max_label_value_length)
        descriptor = MetricDescriptor(
            metric="target_info",
            family=dict(labels)[METRIC_NAME],
            help="Target metadata",
            unit="",
            labels=LabelSets(lambda _: tuple(label for label in labels if label[0] != METRIC_NAME)),
            registry=self._unlimited,
            drop=lambda error: self._dropped.drop("target_info", error),
            exemplars=False,
        )
        return NumberPoints(descriptor, MetricType.GAUGE)

    def _translate_resource(
        self, resource: RememberedResource, scopes: Iterable[ScopeMetrics]
    ) -> Iterator[FamilySamples]:
        current = self._current(resource, scopes)
        resource.keep_only(current, self._time_slice)  # first, so that a metric's successor can register its series
        newest = 0
        self._time_slice.discard(*current.values())
        for scope, metrics in current.items():
            for key, metric in metrics.items():
                for family_samples in self._translate_metric(scope, key, metric):
                    times = family_samples.timestamps
                    newest = max(newest, times if isinstance(times, int) else max(times))
                    yield family_samples
        if self._zero_samples:
            self._zero_samples.note(newest)
        if resource.info:
            point = _InfoPoint(newest * NANOSECONDS_PER_MILLISECOND if newest else self._clock())
            for family_samples in resource.info.translate([point]):
                yield family_samples._replace(tells_points=False)

    def _current(
        self, resource: RememberedResource, scopes: Iterable[ScopeMetrics]
    ) -> dict[RememberedScope, dict[MetricKey, Metric]]:
        """Return the metrics of this export by scope and key."""
        current: dict[RememberedScope, dict[MetricKey, Metric]] = {}
        for scope_metrics in scopes:
            metrics = None
            for metric in self._time_slice.between(scope_metrics.metrics):
                try:
                    if metrics is None:
                        metrics = current.setdefault(resource.scope(scope_metrics.scope), {})
                    metrics[metric_key(metric, metrics)] = metric
                except Exception as error:  # noqa: BLE001 - a foreign producer's data may be wrong in any way
                    self._drop(metric, _unexpected(error))
        return current

    def _translate_metric(self, scope: RememberedScope, key: MetricKey, metric: Metric) -> list[FamilySamples]:
        """Translate a metric; raise nothing, because one bad metric never costs another. One that fails is not sent."""
        try:
            kinds = scope.metrics.get(key)
            if kinds is None:
                kinds = scope.metrics[key] = list(self._points_of(scope, metric))
            points = getattr(metric.data, "data_points", ())
            if not isinstance(points, (list, tuple)):
                points = list(points)
            return [family_samples for kind in kinds for family_samples in kind.translate(points)]
        except Untranslatable as error:
            self._drop(metric, error)
        except Exception as error:  # noqa: BLE001 - as above
            self._drop(metric, _unexpected(error))
            scope.drop(key)
        return []

    def _drop(self, metric: Any, error: Untranslatable) -> None:
        name, points = f"of type {type(metric).__name__}", 0
        with suppress(Exception):
            name = str(getattr(metric, "name", metric))
        with suppress(Exception):
            points = len(metric.data.data_points)
        self._dropped.drop(name, error, points)

    def _points_of(self, scope: RememberedScope, metric: Metric) -> Iterator[Points]:
        self.unmatched_globs.note_metrics([metric.name])
        if any(fnmatchcase(metric.name, glob) for glob in self._settings.drop_metrics):
            return
        data = metric.data
        temporality = getattr(data, "aggregation_temporality", AggregationTemporality.CUMULATIVE)
        if temporality is not AggregationTemporality.CUMULATIVE:
            raise Untranslatable(
                "delta",
                "it has delta temporality, but Prometheus takes only cumulative data: do not set preferred_temporality",
            )
        descriptor = self._descriptor(scope, metric, _kind(data))
        if isinstance(data, Sum):
            yield NumberPoints(descriptor, MetricType.COUNTER if data.is_monotonic else MetricType.GAUGE)
        elif isinstance(data, Gauge):
            yield NumberPoints(descriptor, MetricType.GAUGE)
        else:
            classic = CustomBucketPoints if self._custom_buckets else HistogramPoints
            points = classic if isinstance(data, Histogram) else exponential_points
            yield WithExtremes(descriptor, points) if self._settings.histogram_min_max else points(descriptor)

    def _descriptor(self, scope: RememberedScope, metric: Metric, kind: MetricKind) -> MetricDescriptor:
        strategy, settings = self._strategy, self._settings
        if scope.label_sets is None:
            scope.label_sets = label_sets_of(scope.target, scope.scope, settings, self._time_slice)
        return MetricDescriptor(
            metric=metric.name,
            family=metric_name(metric.name, metric.unit or "", kind, strategy, settings.namespace),
            help=valid_text(metric.description or ""),
            unit=unit_word(metric.unit or "", strategy),
            labels=scope.label_sets,
            registry=self._unlimited if metric.name.startswith(_ABOUT_EXPORTERS) else self.registry,
            drop=lambda error: self._dropped.drop(metric.name, error),
            exemplars=not settings.disable_exemplars,
            zero_samples=self._zero_samples,
            time_slice=self._time_slice,
        )


class _InfoPoint(NamedTuple):
    """The data point of ``target_info``, shaped like the SDK's."""

    time_unix_nano: int
    value: float = 1.0
    attributes: Mapping[str, Any] = {}
    start_time_unix_nano: None = None


def _unexpected(error: Exception) -> Untranslatable:
    return Untranslatable("error", f"it cannot be translated ({error_text(error)})")


def _kind(data: object) -> MetricKind:
    if isinstance(data, Sum):
        return MetricKind.COUNTER if data.is_monotonic else MetricKind.UP_DOWN_COUNTER
    kind = _KINDS.get(type(data))
    if kind is None:
        raise Untranslatable("type", f"its data is of type {type(data).__name__}, which this exporter cannot translate")
    return kind
