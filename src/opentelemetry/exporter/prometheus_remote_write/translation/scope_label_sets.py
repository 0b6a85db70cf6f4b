"""The labels of all data points under one resource and instrumentation scope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from ..configuration.settings import Settings
from ..configuration.translation_strategy import TranslationStrategy
from ..model.remote_write import Labels
from ..system.time_slice import TimeSlice
from .label_sets import LabelSets
from .labels import (
    attribute_labels,
    exported_labels,
    merged_labels,
    scope_labels,
    shortened_values,
    sorted_labels,
)
from .target import Target


def label_sets_of(target: Target, scope: InstrumentationScope, settings: Settings, time_slice: TimeSlice) -> LabelSets:
    """Return the label sets of a scope.

    Args:
        target: The resource's.
        scope: The instrumentation scope.
        settings: Which labels there are, and how they are written.
        time_slice: Yields the GIL between pieces of work.
    """
    strategy = TranslationStrategy(settings.translation_strategy)
    of_scope = (
        {}
        if settings.disable_scope_labels
        else scope_labels(scope.name, scope.version, scope.schema_url, scope.attributes, strategy)
    )

    def merged(own: Mapping[str, str]) -> dict[str, str]:
        return merged_labels(
            external=settings.external_labels,
            promoted=target.promoted,
            attributes=own,
            target=target.labels,
            scope=of_scope,
        )

    ours = {*target.labels, *of_scope}
    common = merged({})
    in_order = sorted_labels(common)

    def labels(attributes: Mapping[str, Any]) -> Labels:
        own = exported_labels(attribute_labels(attributes, strategy), ours)
        if common.keys().isdisjoint(own):  # once, so that all sets share them
            return tuple(sorted((*in_order, *own.items())))
        return sorted_labels(merged(own))

    longest = settings.max_label_value_length
    return LabelSets(lambda attributes: shortened_values(labels(attributes), longest), time_slice)
