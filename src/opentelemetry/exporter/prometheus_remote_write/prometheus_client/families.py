"""Translating families of prometheus_client: names, labels and values as on the page that Prometheus would scrape.

The library makes new samples in every collection, mostly with the same names and labels in the same order; so one
comparison with the previous collection covers all of them, and what is known about them is kept by position.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import Untranslatable
from ..messages.text import error_text, valid_text
from ..model.family import Family, FamilySamples, SeriesName, Stream
from ..model.remote_write import BUCKET_BOUND, Exemplar, Labels, Metadata, MetricType
from ..system.time_slice import TimeSlice
from .columns import Columns, columns_of, times_of
from .context import Context
from .samples import exemplar_of, native_histogram_of, start_of, timestamp_of

_TYPES = {
    "counter": MetricType.COUNTER,
    "gauge": MetricType.GAUGE,
    "histogram": MetricType.HISTOGRAM,
    "gaugehistogram": MetricType.GAUGEHISTOGRAM,
    "summary": MetricType.SUMMARY,
    "info": MetricType.INFO,
    "stateset": MetricType.STATESET,
}
_SUFFIXES = {"counter": "_total", "info": "_info"}
_WITH_BUCKETS = {MetricType.HISTOGRAM, MetricType.GAUGEHISTOGRAM}
_WITH_START = {MetricType.COUNTER, MetricType.HISTOGRAM, MetricType.SUMMARY}


class _CollectedPart(NamedTuple):
    """The streams with series of the same names, and the position of each series among the samples."""

    family: Family
    streams: list[Stream]
    places: list[int]
    is_whole: bool


class CollectedFamily:
    """One family, from collection to collection.

    Args:
        name: The family's name, without ``_total``.
        type: In prometheus_client's words.
        help: The documentation.
        unit: The unit.
    """

    def __init__(self, name: str, type: str, help: str, unit: str) -> None:  # noqa: A002 - their names
        kind = _TYPES.get(type, MetricType.UNKNOWN)
        self._name = name
        self._kind = kind
        self._metadata = Metadata(shown_name(name, type), kind, valid_text(help), valid_text(unit))
        self._created = f"{name}_created" if kind in _WITH_START else None
        self._families: dict[tuple[tuple[SeriesName, ...], bool], Family] = {}
        self._names: list[str] = []
        self._labels: list[Mapping[str, str]] = []
        self._starts: list[float] = []
        self._parts: list[_CollectedPart] = []
        self._is_complete = True
        self._new: dict[Stream, int] = {}
        self._exemplars: dict[tuple[Family, int], tuple[Exemplar, ...]] = {}

    def translate(self, samples: Sequence[Any], now: int, context: Context) -> Iterator[FamilySamples]:
        """Translate the samples of one collection.

        Args:
            samples: The library's.
            now: The time for samples without one, in milliseconds since the epoch.
            context: The collection's.
        """
        time_slice = context.time_slice
        try:
            columns = columns_of(samples, time_slice)
            values, times = array("d", columns.values), times_of(columns, now, time_slice)
        except (TypeError, ValueError, OverflowError, Untranslatable):
            columns = columns_of(list(self._sound(samples, now, context)), time_slice)
            values, times = array("d", columns.values), times_of(columns, now, time_slice)
        time_slice.discard(*columns)
        created: list[int] = []
        if self._created:
            names = time_slice.between(columns.names)
            created = [place for place, name in enumerate(names) if name == self._created]
        starts = [values[place] for place in created]
        if not (
            self._is_complete
            and starts == self._starts
            and len(columns.names) == len(self._names)
            and all(
                names == their_names and labels == their_labels
                for names, their_names, labels, their_labels in time_slice.blocks(
                    columns.names, self._names, columns.labels, self._labels
                )
            )
            and not any(context.other.has_names_of(part.family) for part in self._parts)
        ):
            self._find_anew(columns, values, now, context)
            time_slice.discard(self._labels)
            self._names, self._starts = columns.names[:], starts
            # Copies, because a collector may change its own. After an incomplete collection nothing is compared.
            self._labels = list(map(dict, time_slice.between(columns.labels))) if self._is_complete else []
        for part in self._parts:
            yield self._samples(part, columns, values, times, now, context)
        self._new = {}

    def families(self) -> list[Family]:
        """Return the families that result from it."""
        return [part.family for part in self._parts]

    def release(self, context: Context) -> None:
        """Release the series: the family is gone."""
        for part in self._parts:
            _release(part.family, [stream.labels for stream in part.streams], context)
        self._parts = []

    def _sound(self, samples: Sequence[Any], now: int, context: Context) -> Iterator[Any]:
        for sample in context.time_slice.between(samples):
            try:
                (columns,) = zip(*columns_of([sample], context.time_slice), strict=True)
                name, labels, value, time, *others = columns
                timestamp_of(time, now)
                yield name, labels, float(value), time, *others  # also of a text, which the page shows as a number
            except Exception as error:  # noqa: BLE001 - a sample may be wrong in any way
                context.drop(self._name, Untranslatable("value", f"a sample cannot be read ({error_text(error)})"))

    def _find_anew(self, columns: Columns, values: Sequence[float], now: int, context: Context) -> None:
        """Group samples into streams, and find the streams that existed before."""
        between = context.time_slice.between
        known = {
            (part.family, stream.labels, stream.start): stream
            for part in self._parts
            for stream in between(part.streams)
        }
        before = {part.family: part for part in self._parts}
        self._is_complete = True
        self._exemplars = {}
        found: dict[Family, dict[Labels, tuple[Stream, list[int]]]] = {}
        for labels, start, series in between(self._grouped(columns, values, now, context)):
            names = tuple(series)
            native = bool(columns.histograms[series[names[0]]])  # all of the group are alike
            family = self._families.setdefault((names, native), Family(self._name, self._metadata, names, native))
            if labels in found.get(family, ()):
                self._drop(context, _twice(names[0].name))
                continue
            stream = known.get((family, labels, start))
            if stream is None:
                stream = Stream(labels, start, sum(len(name.encode()) + len(text.encode()) for name, text in labels))
                self._note_zero(stream, now, context)
            found.setdefault(family, {})[labels] = stream, [*series.values()]
        for family, part in before.items():
            there = found.get(family, {})
            gone = [stream.labels for stream in between(part.streams) if stream.labels not in there]
            _release(family, gone, context)
            context.time_slice.discard(list(part.streams))
        context.time_slice.discard(known, *found.values())
        self._parts = [
            self._registered(family, streams, before.get(family), len(values), context)
            for family, streams in found.items()
        ]
        self._parts = [part for part in self._parts if part.streams]

    def _grouped(
        self, columns: Columns, values: Sequence[float], now: int, context: Context
    ) -> Iterator[tuple[Labels, int, dict[SeriesName, int]]]:
        """Yield the labels of each stream, its start in milliseconds, and the position of each of its series."""
        groups: dict[tuple[frozenset[tuple[str, str]], bool], tuple[Mapping[str, str], dict[SeriesName, int]]] = {}
        starts: dict[frozenset[tuple[str, str]], float] = {}
        samples = context.time_slice.between(zip(columns.names, columns.labels, strict=True))
        for place, (name, labels) in enumerate(samples):
            try:
                if name == self._created:
                    starts[frozenset(labels.items())] = values[place]
                    continue
                bound = labels.get(BUCKET_BOUND) if self._kind in _WITH_BUCKETS and name.endswith("_bucket") else None
                own = {label: text for label, text in labels.items() if label != BUCKET_BOUND} if bound else labels
                key = frozenset(own.items()), bool(columns.histograms[place])
                _, series = groups.setdefault(key, (own, {}))
                if series.setdefault(SeriesName(valid_text(name), bound or ""), place) != place:
                    self._drop(context, _twice(name))
            except Exception as error:  # noqa: BLE001 - a sample may be wrong in any way
                self._drop(context, Untranslatable("labels", f"its labels cannot be read ({error_text(error)})"))
        for (alike, _), (own, series) in groups.items():
            try:
                yield context.labels(own), start_of(starts.get(alike, 0.0), now), series
            except Exception as error:  # noqa: BLE001 - labels may be wrong in any way
                reason = Untranslatable("labels", f"its labels cannot be sent ({error_text(error)})")
                self._drop(context, error if isinstance(error, Untranslatable) else reason)

    def _registered(
        self,
        family: Family,
        found: Mapping[Labels, tuple[Stream, list[int]]],
        before: _CollectedPart | None,
        samples: int,
        context: Context,
    ) -> _CollectedPart:
        """Register new streams, and drop those whose series others own."""
        between = context.time_slice.between
        had = {stream.labels for stream in between(before.streams)} if before else set()
        taken = {
            labels: reason
            for labels in between(found)
            if (reason := context.other.reason_against(family, labels)) is not None
        }
        _release(family, [labels for labels in taken if labels in had], context)
        new = [labels for labels in between(found) if labels not in had and labels not in taken]
        for (some,) in context.time_slice.blocks(new):
            refused = context.registry.register_all(family, some, between)
            taken |= {some[place]: reason for place, reason in refused.items()}
        for reason in between(taken.values()):
            self._drop(context, reason)
        kept = [each for labels, each in between(found.items()) if labels not in taken]
        streams = [stream for stream, _ in between(kept)]
        places = [place for _, places in between(kept) for place in places]
        if before and before.streams == streams:
            streams = before.streams  # the same list object means that nothing changed
        return _CollectedPart(family, streams, places, is_whole=places == [*range(samples)])

    def _drop(self, context: Context, reason: Untranslatable) -> None:
        self._is_complete = False
        context.drop(self._name, reason)

    def _note_zero(self, stream: Stream, now: int, context: Context) -> None:
        if context.zero_samples and stream.start:
            zero = context.zero_samples.zero_sample_before(now, stream.start)
            if zero is not None:
                self._new[stream] = zero

    def _samples(  # noqa: PLR0913, PLR0917 - what all parts have in common
        self,
        part: _CollectedPart,
        columns: Columns,
        values: array[float],
        times: Sequence[int],
        now: int,
        context: Context,
    ) -> FamilySamples:
        family, streams, places, is_whole = part
        exemplars = self._exemplars_of(part, columns, now, context.time_slice) if context.exemplars else {}
        step = len(family.names)
        between = context.time_slice.between
        timestamps = [times[place] for place in between(places[::step])] if times else now
        zero_samples = context.zero_samples.zero_samples(family, streams, self._new) if context.zero_samples else {}
        if family.native:
            histograms = [native_histogram_of(columns.histograms[place]) for place in between(places)]
            return FamilySamples(family, streams, timestamps, array("d"), histograms, exemplars, zero_samples)
        own = values if is_whole else array("d", [values[place] for place in between(places)])
        return FamilySamples(family, streams, timestamps, own, (), exemplars, zero_samples)

    def _exemplars_of(
        self, part: _CollectedPart, columns: Columns, now: int, time_slice: TimeSlice
    ) -> dict[int, tuple[Exemplar, ...]]:
        """Return the exemplars that were not sent yet; the library keeps the last one of each series."""
        if columns.exemplars.count(None) == len(columns.exemplars) and not part.family.native:
            return {}
        found: dict[int, tuple[Exemplar, ...]] = {}
        for position, place in enumerate(time_slice.between(part.places)):
            given = [columns.exemplars[place], *(getattr(columns.histograms[place], "nh_exemplars", None) or ())]
            known = self._exemplars.get((part.family, position), ())
            exemplars = tuple(exemplar for each in given if each and (exemplar := exemplar_of(each, now)))
            if exemplars:
                self._exemplars[part.family, position] = exemplars
            if new := tuple(exemplar for exemplar in exemplars if exemplar not in known):
                found[position] = new
        return found


def shown_name(name: str, type: str) -> str:  # noqa: A002 - their name
    """Return a family's name as on the page, such as ``requests_total`` for a counter ``requests``."""
    suffix = _SUFFIXES.get(type, "")
    return valid_text(f"{name.removesuffix(suffix)}{suffix}")


def _release(family: Family, all_labels: Sequence[Labels], context: Context) -> None:
    for (some,) in context.time_slice.blocks(all_labels):
        context.registry.release_all(family, some)


def _twice(name: str) -> Untranslatable:
    return Untranslatable("duplicate", f"it has {name} twice with the same labels, and only the first is sent")
