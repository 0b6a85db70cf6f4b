"""What was received in the last minutes, within bounds: for the screen, the page and other callers."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from itertools import islice
from time import time as seconds_since_the_epoch
from typing import NamedTuple

from ...model.remote_write import BUCKET_BOUND, Labels
from ..received import Histogram, Received, ReceivedMetadata, RejectedRequest, Series
from .family import StoredFamily
from .stored_series import MOST_POINTS, Role, StoredSeries, StoredTarget
from .targets import Senders

_KEPT_PUSHES = 500
_KEPT_REJECTIONS = 200
_MOST_METADATA = 10_000
_MOST_LABELS = 100
_LONGEST_TEXT = 1000
_SHOWN_TARGETS = 10
_SUFFIXES = {"_bucket": Role.BUCKET, "_sum": Role.SUM, "_count": Role.COUNT}


class Push(NamedTuple):
    """A push that was accepted, ``at`` a time of the store's clock; taking it in took so many ``seconds``."""

    at: float
    protocol: str
    size: int
    series: int
    samples: int
    seconds: float
    repeated: bool
    targets: tuple[StoredTarget, ...]
    """The first of those that sent it."""
    senders: int
    """How many they are."""


class Rejection(NamedTuple):
    """A push that was not accepted."""

    at: float
    status: int
    reason: str
    path: str
    client_port: int


class Store:
    """The metrics that came in, each with its series and their points of the last minutes.

    Use it as a receiver's listener. Where the bounds are reached, what has changed longest ago goes first; what the
    last exports of a target hold stays, and what is beyond is not kept.

    Args:
        keep_series: How many series to keep; a native histogram counts for as many as it has buckets.
        keep: How many seconds to keep a point.
        clock: Seconds since the epoch.

    Attributes:
        lock: To be held while looking at what is in it.
        families: The metrics by name.
        senders: Who sends.
        pushes: The last pushes, oldest first.
        rejections: The last rejections, oldest first.
        counts: How many ``pushes``, ``rejections`` and ``series`` came, how many series were ``forgotten`` because
            there were too many, and how many samples were ``passed_over`` for it.
    """

    def __init__(
        self, keep_series: int = 20_000, keep: float = 900.0, clock: Callable[[], float] = seconds_since_the_epoch
    ) -> None:
        self.keep_series = keep_series
        self.keep = keep
        self.slot = max(int(keep * 1000 / MOST_POINTS), 1)
        self.clock = clock
        self.families: dict[str, StoredFamily] = {}
        self.senders = Senders()
        self.pushes: deque[Push] = deque(maxlen=_KEPT_PUSHES)
        self.rejections: deque[Rejection] = deque(maxlen=_KEPT_REJECTIONS)
        self.counts: Counter[str] = Counter()
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self._version = 0
        self._series: dict[Labels, tuple[StoredSeries, StoredFamily]] = {}
        self._weight = 0
        self._metadata: dict[str, ReceivedMetadata] = {}
        self._newest = (0, 0.0)

    def __call__(self, request: Received | RejectedRequest) -> None:
        """Take a request in."""
        now = self.clock()
        with self._changed:
            if isinstance(request, RejectedRequest):
                self.counts["rejections"] += 1
                self.rejections.append(
                    Rejection(now, request.status, request.reason, request.path[:200], request.client_port)
                )
            else:
                self._take(request, now)
            self._forget_old(now - self.keep)
            self._version += 1
            self._changed.notify_all()

    @property
    def now(self) -> int:
        """The time that the senders' clocks show, in milliseconds since the epoch, as far as their samples tell."""
        newest, heard = self._newest
        return newest + int((self.clock() - heard) * 1000)

    @property
    def interval(self) -> int:
        """The longest interval of those that push, in milliseconds; 1000 while none is known."""
        return self.senders.interval(self.clock())

    def wait(self, version: int, timeout: float) -> int:
        """Wait until something has come in since a version, at most so many seconds, and return the version now."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != version, timeout)
            return self._version

    def family_of(self, labels: Labels) -> StoredFamily | None:
        """Return the metric that a series belongs to, or None if the series is not kept."""
        found = self._series.get(labels)
        return found[1] if found else None

    @property
    def size(self) -> int:
        """How many series are kept."""
        return len(self._series)

    def _take(self, received: Received, now: float) -> None:
        self._note_metadata(received)
        newest: dict[StoredTarget, int] = {}
        samples = 0
        for series in received.series:
            times = [*(each.timestamp for each in series.samples), *(each.timestamp for each in series.histograms)]
            samples += len(times)
            target = StoredTarget.of(dict(series.labels))
            newest[target] = max([newest.get(target, 0), *times])
        self.senders.note(newest, now)
        if newest and (latest := max(newest.values())) > self._newest[0]:
            self._newest = (latest, now)
        if received.series:
            self.counts["pushes"] += 1
            self.pushes.append(
                Push(
                    now,
                    received.protocol,
                    len(received.body),
                    len(received.series),
                    samples,
                    received.seconds,
                    received.repeated,
                    tuple(islice(newest, _SHOWN_TARGETS)),
                    len(newest),
                )
            )
        if not received.repeated:
            histograms = {each.name.removesuffix("_bucket") for each in received.series if _is_bucket(each)}
            for series in received.series:
                self._add(series, histograms, now)

    def _add(self, series: Series, histograms: set[str], now: float) -> None:
        found = self._series.pop(series.labels, None) or self._new(series, histograms)
        if found is None:
            self.counts["passed_over"] += len(series.samples) + len(series.histograms)
            return
        stored, family = found
        self._series[series.labels] = found
        stored.heard = now
        weight = stored.weight
        values: list[tuple[int, float | Histogram]] = [(each.timestamp, each.value) for each in series.samples]
        values += [(each.timestamp, each) for each in series.histograms]
        for time, value in values:
            grown, added = stored.add(time, value)
            if not stored.has_ended and stored.times:
                family.note(stored, time, grown, added)
        self._weight += stored.weight - weight
        stored.exemplars.extend(series.exemplars)
        if series.name == "target_info" and (sender := self.senders.get(stored.target)):
            sender.info = tuple((name, value[:_LONGEST_TEXT]) for name, value in series.labels[:_MOST_LABELS])

    def _new(self, series: Series, histograms: set[str]) -> tuple[StoredSeries, StoredFamily] | None:
        name, role = self._place(series, histograms)
        if not self._has_room():
            return None
        family = self.families.get(name)
        if family is None:
            family = self.families[name] = StoredFamily(name, self.slot)
            family.metadata = self._metadata.get(name) or self._metadata.get(name.removesuffix("_total"))
        stored = StoredSeries(series.labels, role, self.slot)
        family.series[series.labels] = stored
        self._weight += stored.weight
        self.counts["series"] += 1
        return stored, family

    def _place(self, series: Series, histograms: set[str]) -> tuple[str, Role]:
        """Return the family of a series and what it is there."""
        if series.histograms:
            return series.name, Role.NATIVE
        for suffix, role in _SUFFIXES.items():
            family = series.name.removesuffix(suffix)
            if family == series.name or (role is Role.BUCKET and not series.label(BUCKET_BOUND)):
                continue
            known = self._metadata.get(family)
            if family in histograms or (known and known.type == "histogram") or self._is_histogram(family):
                return family, role
        return series.name, Role.VALUE

    def _is_histogram(self, name: str) -> bool:
        family = self.families.get(name)
        return family is not None and family.type == "histogram"

    def _note_metadata(self, received: Received) -> None:
        said = dict(received.families)
        for series in received.series:
            if series.metadata is not None:
                said[_family_name(series.name, series.metadata)] = series.metadata
        for name, whole in said.items():
            if len(name) > _LONGEST_TEXT:
                continue
            metadata = ReceivedMetadata(whole.type, whole.help[:_LONGEST_TEXT], whole.unit[:_LONGEST_TEXT])
            self._metadata.pop(name, None)
            self._metadata[name] = metadata
            for known in (name, f"{name}_total"):
                if known in self.families:
                    self.families[known].metadata = metadata
        while len(self._metadata) > _MOST_METADATA:
            del self._metadata[next(iter(self._metadata))]

    def _has_room(self) -> bool:
        """Make room for a series, unless all that are kept are in their targets' last exports."""
        while self._series and self._weight >= self.keep_series:
            oldest, _ = next(iter(self._series.values()))
            sender = self.senders.get(oldest.target)
            if sender is not None and not oldest.has_ended and oldest.newest >= sender.before_last:
                return False
            self._forget(oldest)
            self.counts["forgotten"] += 1
        return True

    def _forget_old(self, before: float) -> None:
        self.senders.forget(before)
        while self._series and (oldest := next(iter(self._series.values()))[0]).heard < before:
            self._forget(oldest)

    def _forget(self, series: StoredSeries) -> None:
        _, family = self._series.pop(series.labels)
        self._weight -= series.weight
        del family.series[series.labels]
        if not family.series:
            del self.families[family.name]


def _is_bucket(series: Series) -> bool:
    return series.name.endswith("_bucket") and bool(series.label(BUCKET_BOUND))


def _family_name(name: str, metadata: ReceivedMetadata) -> str:
    """Return the family that a series of 2.0 is of, by its own metadata."""
    if metadata.type == "histogram":
        for suffix in _SUFFIXES:
            if name.endswith(suffix):
                return name.removesuffix(suffix)
    return name
