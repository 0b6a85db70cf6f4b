"""Dividing family samples: among requests, and where one request would hold too much."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TypeVar

from ..model.family import FamilySamples, Stream
from ..system.time_slice import TimeSlice

_Item = TypeVar("_Item")


def divided(
    all_samples: Sequence[FamilySamples], max_samples: int, time_slice: TimeSlice
) -> Iterator[Sequence[FamilySamples]]:
    """Divide what a batch sends if zero samples or stale markers make it too much for one request.

    Args:
        all_samples: What the batch sends.
        max_samples: In one request, unless a single stream has more.
        time_slice: Yields the GIL between pieces of work.

    Yields:
        The content of each request.
    """
    middle = len(all_samples) // 2
    if sum(map(size, time_slice.between(all_samples))) <= max_samples:
        yield all_samples
    elif middle:
        yield from divided(all_samples[:middle], max_samples, time_slice)
        yield from divided(all_samples[middle:], max_samples, time_slice)
    elif (middle := len(all_samples[0].streams) // 2) == 0:
        yield all_samples
    else:
        (samples,) = all_samples
        for run in (range(middle), range(middle, len(samples.streams))):
            half = cut(samples, [run], samples.streams[run.start : run.stop], time_slice)
            yield from divided([half], max_samples, time_slice)


def size(samples: FamilySamples) -> int:
    """Return how many samples or histograms a family sends."""
    return (len(samples.streams) + len(samples.zero_samples)) * len(samples.family.names)


def cut(
    samples: FamilySamples, runs: Sequence[range], streams: Sequence[Stream], time_slice: TimeSlice
) -> FamilySamples:
    """Return the samples of some of the streams.

    Args:
        samples: Of all streams.
        runs: The positions of the streams to keep.
        streams: These streams.
        time_slice: Yields the GIL between pieces of work.
    """
    series = len(samples.family.names)
    values = array("d")
    for run in time_slice.between(runs):
        values += samples.values[run.start * series : run.stop * series]
    positions = [*chain.from_iterable(runs)] if samples.exemplars or samples.zero_samples else ()
    places = {}
    if samples.exemplars:
        places = {position: place for place, position in enumerate(time_slice.between(positions))}
    exemplars = {
        places[position // series] * series + position % series: several
        for position, several in time_slice.between(samples.exemplars.items())
        if position // series in places
    }
    zero_samples = {
        place: samples.zero_samples[position]
        for place, position in enumerate(time_slice.between(positions))
        if position in samples.zero_samples
    }
    timestamps = samples.timestamps
    if not isinstance(timestamps, int):
        timestamps = chosen(timestamps, runs)
    return samples._replace(
        streams=streams,
        timestamps=timestamps,
        values=values,
        histograms=chosen(samples.histograms, runs),
        exemplars=exemplars,
        zero_samples=zero_samples,
        diff=None,
    )


def chosen(items: Sequence[_Item], runs: Sequence[range]) -> list[_Item]:
    """Return the items at some positions; empty if there are no items."""
    return [item for run in runs for item in items[run.start : run.stop]]
