"""What is remembered about a resource between exports: its target, its scopes, and the points of their metrics."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

from opentelemetry.sdk.metrics.export import Metric
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from ..system.time_slice import TimeSlice
from .label_sets import LabelSets
from .points import Points
from .target import Target

MetricKey: TypeAlias = tuple[object, ...]
"""What identifies a metric of a scope in the next export."""


def metric_key(metric: Metric, seen: Collection[MetricKey]) -> MetricKey:
    """Return what identifies a metric in the next export; a number distinguishes those that views made alike.

    Args:
        metric: The metric.
        seen: The keys of the metrics that came before it in the same export and scope.
    """
    data = metric.data
    alike = (
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


class RememberedScope:
    """An instrumentation scope under a resource.

    Args:
        scope: The scope.
        target: What the resource becomes.

    Attributes:
        label_sets: The labels of its attribute sets, created on first use.
        metrics: The translation of each metric's points.
    """

    def __init__(self, scope: InstrumentationScope, target: Target) -> None:
        self.scope = scope
        self.target = target
        self.label_sets: LabelSets | None = None
        self.metrics: dict[MetricKey, list[Points]] = {}

    def keep_only(self, keys: Collection[MetricKey], time_slice: TimeSlice) -> None:
        """Forget the metrics that are not among the keys."""
        for key in [key for key in time_slice.between(self.metrics) if key not in keys]:
            self.drop(key)

    def drop(self, key: MetricKey) -> None:
        """Forget a metric."""
        for points in self.metrics.pop(key, ()):
            points.release()


class RememberedResource:
    """A resource.

    Args:
        attributes: Its attributes, which identify it.
        target: What it becomes.
        info: The points of ``target_info``, if that is sent.
    """

    def __init__(self, attributes: Mapping[str, Any], target: Target, info: Points | None) -> None:
        self.attributes = dict(attributes)
        self.target = target
        self.info = info
        self._scopes: dict[InstrumentationScope, RememberedScope] = {}

    def scope(self, scope: InstrumentationScope) -> RememberedScope:
        """Return what is remembered about a scope."""
        remembered = self._scopes.get(scope)
        if remembered is None:
            remembered = self._scopes[scope] = RememberedScope(scope, self.target)
        return remembered

    def keep_only(self, keys: Mapping[RememberedScope, Collection[MetricKey]], time_slice: TimeSlice) -> None:
        """Forget the scopes that are not among the keys, and the metrics of other scopes that are not."""
        for remembered in [*self._scopes.values()]:
            remembered.keep_only(keys.get(remembered, ()), time_slice)
            if remembered not in keys:
                del self._scopes[remembered.scope]

    def release(self, time_slice: TimeSlice) -> None:
        """Forget everything: the resource is gone."""
        self.keep_only({}, time_slice)
        if self.info:
            self.info.release()
