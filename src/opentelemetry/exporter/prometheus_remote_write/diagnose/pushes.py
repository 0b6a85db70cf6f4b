"""What came in while a program was previewed, added up by metric."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from ..model.remote_write import BUCKET_BOUND, METRIC_NAME, Labels
from ..model.stale_marker import is_stale
from ..receiver.received import Histogram, Received, ReceivedMetadata, RejectedRequest, Sample, Series

Value: TypeAlias = Sample | Histogram

UNKNOWN = ReceivedMetadata("unknown", "", "")
_SUFFIXES = ("_bucket", "_sum", "_count")
_BYTES_OF_A_SAMPLE = 16
_BYTES_OF_A_HISTOGRAM = 40


class Metric(NamedTuple):
    """A metric family, and the size of one push of it, over all processes.

    Args:
        name: Its name as it arrives.
        metadata: Its type, help and unit.
        series: In the last push.
        samples: In the last push; a native histogram counts as one, a zero sample not at all.
        bytes: In the last push, compressed: its share of the requests by uncompressed length.
        first: Series in the first push that had any.
    """

    name: str
    metadata: ReceivedMetadata
    series: int
    samples: int
    bytes: int
    first: int


@dataclass
class _Push:
    """One push of one process, by the name of the series."""

    series: Counter[str] = field(default_factory=Counter)
    samples: Counter[str] = field(default_factory=Counter)
    bytes: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))


class Pushes:
    """Adds up requests, one at a time.

    Attributes:
        latest: Each series with its newest value, without ended ones.
        rejected: Why requests were refused, and how many.
        protocols: The protocol versions that were used.
    """

    def __init__(self) -> None:
        self.latest: dict[Labels, Value] = {}
        self.rejected: Counter[str] = Counter()
        self.protocols: set[str] = set()
        self._families: dict[str, ReceivedMetadata] = {}
        self._family_of: dict[str, str] = {}
        self._histograms: set[str] = set()
        self._pushes: dict[tuple[str, str], dict[int, _Push]] = {}

    def add(self, request: Received | RejectedRequest) -> None:
        """Add a request; a repeated one counts once."""
        if isinstance(request, RejectedRequest):
            self.rejected[request.reason] += 1
            return
        self._families.update(request.families)
        if request.repeated or not request.series:
            return
        self.protocols.add(request.protocol)
        push = self._push(request.series)
        weights = {index: _weight(series) for index, series in enumerate(request.series)}
        per_weight = len(request.body) / sum(weights.values())
        for index, series in enumerate(request.series):
            self._add_series(series, push, weights[index] * per_weight)

    @property
    def processes(self) -> int:
        """How many jobs and instances there were."""
        return len(self._pushes)

    @property
    def count(self) -> int:
        """How many pushes there were, of all processes."""
        return sum(len(pushes) for pushes in self._pushes.values())

    def metrics(self) -> list[Metric]:
        """Return the metrics, the most expensive first."""
        last, first = self._last(), self._first()
        found = [
            Metric(
                name, self.metadata(name), last.series[name], last.samples[name], round(last.bytes[name]), first[name]
            )
            for name in first
        ]
        return sorted(found, key=lambda metric: (-metric.bytes, metric.name))

    def family(self, name: str) -> str:
        """Return the metric that a series belongs to.

        Args:
            name: The series' name.
        """
        if name in self._family_of:
            return self._family_of[name]
        for suffix in _SUFFIXES:  # protocol 1.0, which has metadata by family, only once a minute
            base = name.removesuffix(suffix)
            if name not in self._families and base != name and (base in self._families or base in self._histograms):
                return base
        return name

    def metadata(self, family: str) -> ReceivedMetadata:
        """Return what is known about a metric."""
        guessed = ReceivedMetadata("histogram", "", "") if family in self._histograms else UNKNOWN
        return self._families.get(family, guessed)

    def label_values(self) -> list[tuple[str, int]]:
        """Return the labels with their number of values, largest first."""
        values: dict[str, set[str]] = {}
        for labels in self.latest:
            for name, value in labels:
                values.setdefault(name, set()).add(value)
        values.pop(METRIC_NAME, None)
        return sorted(((name, len(found)) for name, found in values.items()), key=lambda pair: (-pair[1], pair[0]))

    def _push(self, all_series: Sequence[Series]) -> _Push:
        """Return the push that a request belongs to: all requests of an export have its time."""
        labels = dict(all_series[0].labels)
        times = [sample.timestamp for series in all_series for sample in series.samples]
        times += [histogram.timestamp for series in all_series for histogram in series.histograms]
        of_process = self._pushes.setdefault((labels.get("job", ""), labels.get("instance", "")), {})
        return of_process.setdefault(max(times, default=0), _Push())

    def _add_series(self, series: Series, push: _Push, size: float) -> None:
        values: list[Value] = sorted((*series.samples, *series.histograms), key=lambda value: value.timestamp)
        if not values:
            return
        if _is_end(values[-1]):
            self.latest.pop(series.labels, None)
            return
        name = series.name
        if series.metadata:
            family = _stripped(name, series.metadata.type)
            self._family_of[name] = family
            self._families[family] = series.metadata
        elif name.endswith("_bucket") and series.label(BUCKET_BOUND):
            self._histograms.add(name.removesuffix("_bucket"))
        self.latest[series.labels] = values[-1]
        push.series[name] += 1
        push.samples[name] += sum(value.timestamp == values[-1].timestamp for value in values)
        push.bytes[name] += size

    def _last(self) -> _Push:
        """Sum up the last push of every process, by metric."""
        added = _Push()
        for pushes in self._pushes.values():
            push = pushes[max(pushes)]
            for name, number in push.series.items():
                family = self.family(name)
                added.series[family] += number
                added.samples[family] += push.samples[name]
                added.bytes[family] += push.bytes[name]
        return added

    def _first(self) -> Counter[str]:
        """Sum up the series of each metric in every process's first push that had any."""
        added: Counter[str] = Counter()
        for pushes in self._pushes.values():
            of_process: dict[str, int] = {}
            for time in sorted(pushes):
                found: Counter[str] = Counter()
                for name, number in pushes[time].series.items():
                    found[self.family(name)] += number
                of_process = {**found, **of_process}
            added.update(of_process)
        return added


def _stripped(name: str, kind: str) -> str:
    if kind == "histogram":
        for suffix in _SUFFIXES:
            if name.endswith(suffix):
                return name.removesuffix(suffix)
    return name


def _is_end(value: Value) -> bool:
    return is_stale(value.sum if isinstance(value, Histogram) else value.value)


def _weight(series: Series) -> int:
    """About how many bytes a series has before compression."""
    labels = sum(len(name) + len(value) + 4 for name, value in series.labels)
    buckets = sum(len(each.positive_counts) + len(each.negative_counts) for each in series.histograms)
    return (
        labels
        + _BYTES_OF_A_SAMPLE * (len(series.samples) + len(series.exemplars))
        + _BYTES_OF_A_HISTOGRAM * len(series.histograms)
        + 2 * buckets
    )


def without_bound(labels: Labels) -> Mapping[str, str]:
    """Return the labels of a histogram's series without name and bound."""
    return {name: value for name, value in labels if name not in {METRIC_NAME, BUCKET_BOUND}}
