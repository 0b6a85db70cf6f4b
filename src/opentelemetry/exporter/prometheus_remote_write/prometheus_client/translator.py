"""From collected families to family samples, with the labels that all series of the process have."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from ..configuration.settings import Settings
from ..configuration.translation_strategy import TranslationStrategy
from ..errors import Untranslatable
from ..messages.text import error_text, valid_text
from ..model.family import Family, FamilySamples, SeriesName, Stream
from ..model.remote_write import METRIC_NAME, Labels, Metadata, MetricType
from ..system.time_slice import TimeSlice
from ..translation.dropped_points import DroppedPoints
from ..translation.labels import exported_labels, merged_labels, shortened_values, sorted_labels
from ..translation.series_registry import SeriesRegistry
from ..translation.target import Target, target
from ..translation.unmatched_globs import UnmatchedGlobs
from ..translation.zero_samples import ZeroSamples
from .context import Context
from .families import CollectedFamily, shown_name
from .source import Part


class PrometheusClientTranslator:
    """Translates collection after collection, and remembers what does not change between them.

    Args:
        settings: Labels and what to drop. Names are not translated: they are sent as on the page.
        dropped: Where dropped points are counted.
        other: The registry of the OpenTelemetry metrics, which take precedence; both share one series limit.
        registry: Where its own series are registered.
        unmatched_globs: Notes the names of the metrics.
        resources_as_labels: Whether every resource attribute is copied onto every series.
        zero_samples: Decides on zero samples, if they are sent.
        time_slice: Yields the GIL between pieces of work.
    """

    def __init__(  # noqa: PLR0913 - three are by keyword
        self,
        settings: Settings,
        dropped: DroppedPoints,
        other: SeriesRegistry,
        *,
        registry: SeriesRegistry | None = None,
        unmatched_globs: UnmatchedGlobs | None = None,
        resources_as_labels: bool = False,
        zero_samples: ZeroSamples | None = None,
        time_slice: TimeSlice | None = None,
    ) -> None:
        self._settings = settings
        self._resources_as_labels = resources_as_labels
        self._resource: Mapping[str, Any] | None = None
        self._target = Target({}, {}, None, ())
        self._info: FamilySamples | None = None
        self._families: dict[tuple[object, ...], CollectedFamily] = {}
        self._zero_samples = zero_samples
        self._dropped = dropped
        self._unmatched_globs = unmatched_globs or UnmatchedGlobs(settings)
        self._context = Context(
            labels=self._labels,
            registry=SeriesRegistry(other.usage) if registry is None else registry,
            other=other,
            drop=dropped.drop,
            zero_samples=zero_samples,
            exemplars=not settings.disable_exemplars,
            time_slice=time_slice or TimeSlice(),
        )

    @property
    def registry(self) -> SeriesRegistry:
        """Where its series are registered."""
        return self._context.registry

    def families(self) -> Iterator[Family]:
        """Yield the families of the last collection."""
        for family in self._families.values():
            yield from family.families()
        if self._info:
            yield self._info.family

    def translate(self, part: Part, now: int) -> Iterator[FamilySamples]:
        """Translate one collection; families that it no longer contains are released.

        Args:
            part: What was collected.
            now: The time for samples without one, in milliseconds since the epoch.
        """
        if part.resource != self._resource:
            self.release()
            self._resource, self._target = dict(part.resource), self._target_of(part)
            self._info = _info(self._target.info) if self._target.info else None
        if self._info:
            yield self._info._replace(timestamps=now)
        current = self._current(part.families)
        between = self._context.time_slice.between
        for key in [key for key in between(self._families) if key not in current]:
            self._families.pop(key).release(self._context)
        for key, family in between(current.items()):
            try:
                known = self._families.get(key)
                if known is None:
                    known = self._families[key] = CollectedFamily(*map(str, key[:4]))
                yield from known.translate(family.samples, now, self._context)
            except Exception as error:  # noqa: BLE001 - one bad family never costs another
                if known := self._families.pop(key, None):  # the next collection looks everything up again
                    known.release(self._context)
                self._drop(family, error)
        if self._zero_samples:
            self._zero_samples.note(now)

    def release(self) -> None:
        """Release all series."""
        for family in self._families.values():
            family.release(self._context)
        self._families = {}
        self._resource, self._info = None, None

    def _current(self, families: Sequence[Any]) -> dict[tuple[object, ...], Any]:
        """Return the families to send, by what identifies them in the next collection."""
        current: dict[tuple[object, ...], Any] = {}
        alike: Counter[tuple[object, ...]] = Counter()
        for family in self._context.time_slice.between(families):
            try:
                if self._is_dropped(family):
                    continue
                key = (family.name, family.type, family.documentation, getattr(family, "unit", ""))
                numbered = (*key, alike[key])
                current[numbered] = family
                alike[key] += 1
            except Exception as error:  # noqa: BLE001 - a collector may return anything
                self._drop(family, error)
        return current

    def _is_dropped(self, family: Any) -> bool:
        globs = self._settings.drop_metrics
        names = [family.name, shown_name(family.name, family.type)] if globs else ()
        self._unmatched_globs.note_metrics(names)
        return any(fnmatchcase(name, glob) for name in names for glob in globs)

    def _drop(self, family: Any, error: Exception) -> None:
        reason = Untranslatable("error", f"it cannot be sent ({error_text(error)})")
        samples = getattr(family, "samples", ())
        name = getattr(family, "name", type(family).__name__)
        self._dropped.drop(str(name), reason, len(samples) if isinstance(samples, list) else 0)

    def _target_of(self, part: Part) -> Target:
        settings = self._settings
        return target(
            part.resource,
            strategy=TranslationStrategy(settings.translation_strategy),
            namespace=settings.namespace,
            external_labels=settings.external_labels,
            resource_labels=settings.resource_labels,
            resources_as_labels=self._resources_as_labels,
            target_info=part.has_info and not settings.disable_target_info,
        )

    def _labels(self, labels: Mapping[str, str]) -> Labels:
        own = {valid_text(name): valid_text(text) for name, text in labels.items()}
        merged = merged_labels(
            external=self._settings.external_labels,
            promoted=self._target.promoted,
            attributes=exported_labels(own, self._target.labels),
            target=self._target.labels,
            scope={},
        )
        return shortened_values(sorted_labels(merged), self._settings.max_label_value_length)


def _info(labels: Labels) -> FamilySamples:
    """Return the sample of ``target_info``, one for each resource."""
    name = dict(labels)[METRIC_NAME]
    own = tuple(label for label in labels if label[0] != METRIC_NAME)
    family = Family(name, Metadata(name, MetricType.GAUGE, "Target metadata", ""), (SeriesName(name),))
    return FamilySamples(family, [Stream(own, 0, len(repr(own)))], 0, array("d", [1.0]), (), {}, tells_points=False)
