"""Which streams travel together.

A stream is given a place in a batch when it is first seen and keeps it, so that a batch hardly changes from export to
export, and the samples of a series are always in the same request, where their order is certain.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import count, groupby
from typing import NamedTuple

from ..model.family import Family, FamilySamples, Stream
from ..model.list_diff import ListDiff, list_diff
from ..model.timestamps import LATEST
from ..system.time_slice import TimeSlice
from .batch import Batch
from .division import chosen, cut, divided, size
from .series_encoder import SeriesEncoder
from .stale_markers import carried_on, ended, marked

_MAX_LABEL_BYTES = 4 * 1024 * 1024  # of one request, before compression; receivers refuse more than 32 MiB
_NUMBERS = count()  # unique in the process, because delivery remembers a batch longer than its pipeline lives


class Load(NamedTuple):
    """What one request carries.

    Args:
        pieces: The encoded message, in pieces to be joined before the next load is requested.
        samples: How many float samples.
        histograms: How many native histograms.
        exemplars: How many exemplars.
        batch: The number of the batch.
        points: How many data points.
    """

    pieces: Iterator[bytes]
    samples: int
    histograms: int
    exemplars: int
    batch: int
    points: int


class _BinPart(NamedTuple):
    """The streams of a family that travel in one batch, and their positions among all of them."""

    bin: _Bin
    streams: Sequence[Stream]
    runs: Sequence[range]


class _Placement(NamedTuple):
    """The streams of a family, the bin of each, and the same by bins."""

    streams: Sequence[Stream]
    bins: list[_Bin]
    parts: list[_BinPart]


_NOWHERE = _Placement((), [], [])


class _Gone(NamedTuple):
    """A stream that is no longer sent, the bin it was in, and the time of its last sample."""

    bin: _Bin
    family: Family
    stream: Stream
    newest: int


class _Bin:
    """A batch, how many samples it carries, and how many bytes of labels."""

    def __init__(self, number: int, batch: Batch) -> None:
        self.number = number
        self.batch = batch
        self.samples = 0
        self.label_bytes = 0  # once per series, as in 1.0, where they take the most


class Batches:
    """Encodes exports as requests of a bounded size.

    Args:
        new_encoder: Creates the encoder of a batch.
        max_samples: In one request, unless a single stream has more.
        stale_markers: Whether a series that ends is marked as stale.
        time_slice: Yields the GIL between pieces of work.
    """

    def __init__(
        self,
        new_encoder: Callable[[], SeriesEncoder],
        max_samples: int,
        *,
        stale_markers: bool = False,
        time_slice: TimeSlice | None = None,
    ) -> None:
        self._time_slice = time_slice or TimeSlice()
        self._new_encoder = new_encoder
        self._max_samples = max_samples
        self._placements: dict[Family, _Placement] = {}
        self._stale_markers = stale_markers
        self._gone: list[_Gone] = []
        self._newest: dict[Family, int] = {}
        # Native histograms travel apart: a receiver that takes none refuses the whole request that holds one.
        self._open: dict[bool, dict[_Bin, None]] = {False: {}, True: {}}

    def encode(self, all_samples: Iterable[FamilySamples], at: int = 0) -> Iterator[Load]:
        """Encode one export.

        Args:
            all_samples: At most one item per family. Families that are missing are forgotten.
            at: When those ended, in milliseconds since the epoch, unless a sample has a later time.

        Yields:
            A load for each request.
        """
        loads: dict[_Bin, list[FamilySamples]] = {}
        families: set[Family] = set()
        for family_samples in all_samples:
            families.add(family_samples.family)
            its_parts = self._parts(family_samples.family, family_samples.streams, family_samples.diff)
            for part in self._time_slice.between(its_parts):
                loads.setdefault(part.bin, []).append(self._part_of(family_samples, part))
            if self._stale_markers:
                newest = (
                    family_samples.timestamps
                    if isinstance(family_samples.timestamps, int)
                    else max(family_samples.timestamps)
                )
                self._newest[family_samples.family] = newest
                at = max(at, newest)
        placed = self._time_slice.between(self._placements)
        self._remove_families([family for family in placed if family not in families])
        for bin, family_samples in list(self._markers(at)):
            loads.setdefault(bin, []).append(family_samples)
        for bin in self._time_slice.between(list(loads)):
            samples_of_bin = loads.pop(bin)
            bin.batch.renew_if_stale()
            for parts in divided(samples_of_bin, self._max_samples, self._time_slice):
                yield self._load(bin, parts)
            self._time_slice.discard(samples_of_bin)
        self._time_slice.discard(self._gone)
        self._gone = []

    def leave(self, families: Collection[Family]) -> None:
        """Stop sending some families without marking them as stale: another process continues them."""
        self._remove_families([family for family in self._placements if family in families])
        self._gone = [gone for gone in self._gone if gone.family not in families]

    def take_over(self, others: Batches) -> None:
        """Take over the streams of another instance, in batches of their own, so that no end is missed."""
        for family, placement in self._time_slice.between(others._placements.items()):
            self._parts(family, placement.streams)
        self._newest.update(others._newest)

    def _load(self, bin: _Bin, parts: Sequence[FamilySamples]) -> Load:
        samples = histograms = exemplars = points = 0
        for part in self._time_slice.between(parts):
            if part.family.native:
                histograms += size(part)
            else:
                samples += size(part)
            if part.exemplars:
                exemplars += sum(map(len, self._time_slice.between(part.exemplars.values())))
            points += len(part.streams) if part.tells_points else 0
        return Load(bin.batch.encode(parts), samples, histograms, exemplars, bin.number, points)

    def _part_of(self, family_samples: FamilySamples, part: _BinPart) -> FamilySamples:
        """Return the part of the samples that travels in one batch."""
        if part.streams is family_samples.streams:
            return family_samples
        return cut(family_samples, part.runs, part.streams, self._time_slice)

    def _remove_families(self, families: Iterable[Family]) -> None:
        for family in families:
            self._parts(family, ())
            del self._placements[family]
            self._newest.pop(family, None)

    def _parts(self, family: Family, streams: Sequence[Stream], diff: ListDiff | None = None) -> list[_BinPart]:
        before = self._placements.get(family, _NOWHERE)
        if before.streams is streams:
            return before.parts
        diff = list_diff(before.streams, streams, diff, self._time_slice)
        for (some,) in self._time_slice.blocks(diff.gone):
            for bin, places in groupby(some, before.bins.__getitem__):
                self._remove(bin, family, [before.streams[place] for place in places])
        bins: list[_Bin] = []
        for here, there in self._time_slice.between(diff.blocks):
            if there is None:
                bins += self._place(family, self._time_slice.between(streams[here]))
            else:
                bins += before.bins[there]
        runs = _runs(self._time_slice.between(bins))
        parts = [_part(bin, streams, theirs) for bin, theirs in self._time_slice.between(runs.items())]
        held = {part.bin: () for part in before.parts} | {part.bin: part.streams for part in parts}
        for bin, theirs in self._time_slice.between(held.items()):
            bin.batch.hold(family, theirs, diff)
        self._placements[family] = _Placement(streams, bins, parts)
        self._time_slice.discard(list(before.streams), diff.gone, diff.blocks)
        return parts

    def _place(self, family: Family, streams: Iterable[Stream]) -> Iterator[_Bin]:
        bins, samples = self._open[family.native], len(family.names)
        for stream in streams:
            label_bytes = samples * stream.label_bytes
            while bins:
                bin = next(reversed(bins))
                if bin.samples + samples <= self._max_samples and bin.label_bytes + label_bytes <= _MAX_LABEL_BYTES:
                    break
                del bins[bin]
            else:
                bin = _Bin(next(_NUMBERS), Batch(self._new_encoder, self._time_slice))
                bins[bin] = None
            bin.samples += samples
            bin.label_bytes += label_bytes
            yield bin

    def _remove(self, bin: _Bin, family: Family, streams: Sequence[Stream]) -> None:
        if self._stale_markers:
            newest = self._newest[family]
            self._gone += [_Gone(bin, family, stream, newest) for stream in streams]
        samples = len(family.names)
        bin.samples -= samples * len(streams)
        bin.label_bytes -= samples * sum(stream.label_bytes for stream in streams)
        bins = self._open[family.native]
        bins.pop(bin, None)
        if bin.samples:
            bins[bin] = None  # the last bin, so that the next stream, mostly of the same family, goes in here

    def _markers(self, at: int) -> Iterator[tuple[_Bin, FamilySamples]]:
        """Mark ended series as stale, at the time of the export but later than their last sample."""
        if not self._gone:
            return
        places: dict[tuple[_Bin, Family, int], list[Stream]] = {}
        for bin, family, stream, newest in self._time_slice.between(self._gone):
            time = min(max(at, newest + 1), LATEST)
            places.setdefault((bin, family, time), []).append(stream)
        names = {name for _, family, _ in places for name in family.names}
        between = self._time_slice.between
        placements = between(self._placements.items())
        present = carried_on(names, ((family, placed.streams) for family, placed in placements), between)
        for (bin, family, time), streams in places.items():
            for part, theirs in ended(family, between(streams), present):
                yield bin, marked(part, theirs, time)


def _runs(bins: Iterable[_Bin]) -> dict[_Bin, list[range]]:
    """Where the positions of each bin are, in blocks."""
    runs: dict[_Bin, list[range]] = {}
    end = 0
    for bin, together in groupby(bins):
        start, end = end, end + len(list(together))
        runs.setdefault(bin, []).append(range(start, end))
    return runs


def _part(bin: _Bin, streams: Sequence[Stream], runs: Sequence[range]) -> _BinPart:
    whole = runs[0] == range(len(streams))
    return _BinPart(bin, streams if whole else chosen(streams, runs), runs)
