"""From the SDK's metrics data to series and samples (OpenTelemetry specification, "Prometheus and OpenMetrics").

What the points of a metric become is in ``points.py`` and ``histogram_points.py``. Here is what metrics have in common:
the resource, the scope, the name, and what happens to a metric that has no Prometheus form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from opentelemetry.exporter.prometheus_remote_write.beginnings import Beginnings
from opentelemetry.exporter.prometheus_remote_write.budget import Budget, Share
from opentelemetry.exporter.prometheus_remote_write.errors import Untranslatable
from opentelemetry.exporter.prometheus_remote_write.histogram_points import (
    CustomBucketPoints,
    ExtremePoints,
    HistogramPoints,
    exponential_points,
)
from opentelemetry.exporter.prometheus_remote_write.label_sets import LabelSets
from opentelemetry.exporter.prometheus_remote_write.labels import (
    attribute_labels,
    merged_labels,
    scope_labels,
    sorted_labels,
)
from opentelemetry.exporter.prometheus_remote_write.model import METRIC_NAME, Labels, MetricType
from opentelemetry.exporter.prometheus_remote_write.naming import (
    MetricKind,
    TranslationStrategy,
    metric_name,
    unit_word,
)
from opentelemetry.exporter.prometheus_remote_write.points import Descriptor, NumberPoints, Points
from opentelemetry.exporter.prometheus_remote_write.refusals import Refusals
from opentelemetry.exporter.prometheus_remote_write.series import Claims, Frame
from opentelemetry.exporter.prometheus_remote_write.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.target import Target, target
from opentelemetry.exporter.prometheus_remote_write.text import valid_text
from opentelemetry.exporter.prometheus_remote_write.timestamps import NANOSECONDS_PER_MILLISECOND

_KINDS = {
    Gauge: MetricKind.GAUGE,
    Histogram: MetricKind.HISTOGRAM,
    ExponentialHistogram: MetricKind.HISTOGRAM,
}


class Translator:
    """Translates export after export, and remembers what does not change between them.

    Args:
        settings: Names, labels and what is left out.
        refusals: Where what is left out is counted.
        resources_as_labels: Whether every resource attribute is copied onto every series.
        custom_buckets: Whether explicit histograms become native histograms with custom buckets.
        beginnings: Decides on the seeds of counters and histograms; without it they have none.
        budget: Of series, that others may have a share of, too.
    """

    def __init__(  # noqa: PLR0913 - all but two are by keyword
        self,
        settings: Settings,
        refusals: Refusals,
        *,
        resources_as_labels: bool = False,
        custom_buckets: bool = False,
        beginnings: Beginnings | None = None,
        budget: Budget | None = None,
    ) -> None:
        self._settings = settings
        self._strategy = TranslationStrategy(settings.translation_strategy)
        self._resources_as_labels = resources_as_labels
        self._custom_buckets = custom_buckets
        self._refusals = refusals
        self._beginnings = beginnings
        self._budget = budget or Budget()
        self._claims = Claims(Share(settings.max_series, self._budget))
        # However many series there are, what tells their target is sent.
        self._claims_of_info = self._claims.beyond(Share(0, self._budget))
        self._resources: list[_Resource] = []

    def translate(self, data: MetricsData) -> Iterator[Frame]:
        """Translate one export.

        Args:
            data: What the SDK collected.

        Yields:
            A frame for each family that has something to send. Series that are not in it are forgotten.
        """
        by_resource: dict[_Resource, list[ScopeMetrics]] = {}
        for of_resource in data.resource_metrics:
            resource = self._resource(of_resource.resource.attributes, (*self._resources, *by_resource))
            by_resource.setdefault(resource, []).extend(of_resource.scope_metrics)
        for resource in self._resources:
            if resource not in by_resource:
                resource.forget()
        self._resources = list(by_resource)
        for resource, scopes in by_resource.items():
            yield from self._translate_resource(resource, scopes)
        self._refusals.tell_of_budget(self._settings.max_series, self._budget.used)

    def forget(self) -> None:
        """Give up all series."""
        for resource in self._resources:
            resource.forget()
        self._resources = []

    def _resource(self, attributes: Mapping[str, Any], known: Iterable[_Resource]) -> _Resource:
        for resource in known:
            if resource.attributes == attributes:
                return resource
        settings = self._settings
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
            self._refusals.refuse("target_info", Untranslatable("resource attribute", sentence))
        return _Resource(attributes, made, self._info(made.info) if made.info else None)

    def _info(self, labels: Labels) -> NumberPoints:
        descriptor = Descriptor(
            metric="target_info",
            family=dict(labels)[METRIC_NAME],
            help="Target metadata",
            unit="",
            labels=lambda _: tuple(label for label in labels if label[0] != METRIC_NAME),
            claims=self._claims_of_info,
            refuse=lambda error: self._refusals.refuse("target_info", error),
            exemplars=False,
        )
        return NumberPoints(descriptor, MetricType.GAUGE)

    def _translate_resource(self, resource: _Resource, scopes: Iterable[ScopeMetrics]) -> Iterator[Frame]:
        keyed = self._keyed(scopes)
        resource.keep_only(keyed)  # first, so that what takes the place of a metric can have its series
        newest = 0
        for key, (scope_metrics, metric) in keyed.items():
            for frame in self._translate_metric(resource, key, scope_metrics, metric):
                times = frame.timestamps
                newest = max(newest, times if isinstance(times, int) else max(times))
                yield frame
        if self._beginnings:
            self._beginnings.note(newest)
        if newest and resource.info:
            yield from resource.info.frames([_InfoPoint(newest * NANOSECONDS_PER_MILLISECOND)])

    def _keyed(self, scopes: Iterable[ScopeMetrics]) -> dict[_Key, tuple[ScopeMetrics, Metric]]:
        keyed: dict[_Key, tuple[ScopeMetrics, Metric]] = {}
        for scope_metrics in scopes:
            for metric in scope_metrics.metrics:
                try:
                    keyed[_key(scope_metrics, metric, keyed)] = scope_metrics, metric
                except Exception as error:  # noqa: BLE001 - a foreign producer's data may be wrong in any way
                    self._refuse(metric, _unexpected(error))
        return keyed

    def _translate_metric(
        self, resource: _Resource, key: _Key, scope_metrics: ScopeMetrics, metric: Metric
    ) -> list[Frame]:
        """Nothing is raised, because one bad metric never costs another; of a metric that fails nothing is sent."""
        try:
            if key not in resource.metrics:
                resource.metrics[key] = list(self._points_of(resource, scope_metrics, metric))
            points = list(getattr(metric.data, "data_points", ()))
            return [frame for kind in resource.metrics[key] for frame in kind.frames(points)]
        except Untranslatable as error:
            self._refuse(metric, error)
        except Exception as error:  # noqa: BLE001 - as above
            self._refuse(metric, _unexpected(error))
            resource.drop(key)
        return []

    def _refuse(self, metric: Any, error: Untranslatable) -> None:
        points = 0
        with suppress(Exception):
            points = len(metric.data.data_points)
        self._refusals.refuse(str(getattr(metric, "name", metric)), error, points)

    def _points_of(self, resource: _Resource, scope_metrics: ScopeMetrics, metric: Metric) -> Iterator[Points]:
        if any(fnmatchcase(metric.name, glob) for glob in self._settings.drop_metrics):
            return
        data = metric.data
        temporality = getattr(data, "aggregation_temporality", AggregationTemporality.CUMULATIVE)
        if temporality is not AggregationTemporality.CUMULATIVE:
            raise Untranslatable(
                "delta",
                "it has delta temporality, and Prometheus knows only totals: do not set preferred_temporality",
            )
        descriptor = self._descriptor(resource, scope_metrics, metric, _kind(data))
        if isinstance(data, Sum):
            yield NumberPoints(descriptor, MetricType.COUNTER if data.is_monotonic else MetricType.GAUGE)
        elif isinstance(data, Gauge):
            yield NumberPoints(descriptor, MetricType.GAUGE)
        elif isinstance(data, Histogram):
            yield CustomBucketPoints(descriptor) if self._custom_buckets else HistogramPoints(descriptor)
        else:
            yield exponential_points(descriptor)
        if isinstance(data, Histogram | ExponentialHistogram) and self._settings.histogram_min_max:
            for extreme in ("min", "max"):
                yield ExtremePoints(descriptor, extreme)

    def _descriptor(
        self, resource: _Resource, scope_metrics: ScopeMetrics, metric: Metric, kind: MetricKind
    ) -> Descriptor:
        strategy, settings = self._strategy, self._settings
        labels = resource.label_sets.get(scope_metrics.scope)
        if labels is None:
            labels = resource.label_sets[scope_metrics.scope] = self._label_sets(resource.target, scope_metrics.scope)
        return Descriptor(
            metric=metric.name,
            family=metric_name(metric.name, metric.unit or "", kind, strategy, settings.namespace),
            help=valid_text(metric.description or ""),
            unit=unit_word(metric.unit or "", strategy),
            labels=labels,
            claims=self._claims,
            refuse=lambda error: self._refusals.refuse(metric.name, error),
            exemplars=not settings.disable_exemplars,
            beginnings=self._beginnings,
        )

    def _label_sets(self, of: Target, scope: InstrumentationScope) -> LabelSets:
        strategy, settings = self._strategy, self._settings
        of_scope = {} if settings.disable_scope_labels else _scope_labels(scope, strategy)

        def labels(attributes: Mapping[str, Any]) -> Labels:
            merged = merged_labels(
                external=settings.external_labels,
                promoted=of.promoted,
                attributes=attribute_labels(attributes, strategy),
                target=of.labels,
                scope=of_scope,
            )
            return sorted_labels(merged)

        return LabelSets(labels)


_Key = tuple[object, ...]


class _Resource:
    """What is remembered of a resource: its target, and the points of each of its metrics."""

    def __init__(self, attributes: Mapping[str, Any], made: Target, info: Points | None) -> None:
        self.attributes = dict(attributes)
        self.target = made
        self.info = info
        self.metrics: dict[_Key, list[Points]] = {}
        self.label_sets: dict[InstrumentationScope, LabelSets] = {}

    def keep_only(self, keys: Any) -> None:
        """Forget the metrics that are not among the keys."""
        for key in self.metrics.keys() - keys:
            self.drop(key)

    def drop(self, key: _Key) -> None:
        """Forget a metric."""
        for points in self.metrics.pop(key, ()):
            points.forget()

    def forget(self) -> None:
        """Forget everything: the resource is gone."""
        self.keep_only(())
        if self.info:
            self.info.forget()


class _InfoPoint(NamedTuple):
    """The data point of ``target_info``, as the SDK's are."""

    time_unix_nano: int
    value: float = 1.0
    attributes: Mapping[str, Any] = {}
    start_time_unix_nano: None = None


def _unexpected(error: Exception) -> Untranslatable:
    return Untranslatable("error", f"it cannot be translated ({type(error).__name__}: {error})")


def _key(scope_metrics: ScopeMetrics, metric: Metric, seen: Mapping[_Key, object]) -> _Key:
    """What makes a metric the same in the next export; a number tells apart those that views made alike."""
    data = metric.data
    alike = (
        scope_metrics.scope,
        metric.name,
        metric.unit,
        metric.description,
        type(data),
        getattr(data, "is_monotonic", None),
        getattr(data, "aggregation_temporality", None),
    )
    number = 0
    while (*alike, number) in seen:
        number += 1
    return (*alike, number)


def _kind(data: object) -> MetricKind:
    if isinstance(data, Sum):
        return MetricKind.COUNTER if data.is_monotonic else MetricKind.UP_DOWN_COUNTER
    kind = _KINDS.get(type(data))
    if kind is None:
        raise Untranslatable("type", f"its data is of type {type(data).__name__}, which has no Prometheus form here")
    return kind


def _scope_labels(scope: InstrumentationScope, strategy: TranslationStrategy) -> dict[str, str]:
    return scope_labels(scope.name, scope.version, scope.schema_url, scope.attributes, strategy)
