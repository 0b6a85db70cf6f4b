"""Dividing family samples: among requests, and where one request would hold too much."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TypeVar

from ..model.family import FamilySamples, Stream

_Item = TypeVar("_Item")


def divided(all_samples: Sequence[FamilySamples], max_samples: int) -> Iterator[Sequence[FamilySamples]]:
    """Divide what a batch sends if zero samples or stale markers make it too much for one request.

    Args:
        all_samples: What the batch sends.
        max_samples: In one request, unless a single stream has more.

    Yields:
        The content of each request.
    """
    middle = len(all_samples) // 2
    if sum(map(size, all_samples)) <= max_samples:
        yield all_samples
    elif middle:
        yield from divided(all_samples[:middle], max_samples)
        yield from divided(all_samples[middle:], max_samples)
    elif (middle := len(all_samples[0].streams) // 2) == 0:
        yield all_samples
    else:
        (samples,) = all_samples
        for run in (range(middle), range(middle, len(samples.streams))):
            yield from divided([cut(samples, [run], samples.streams[run.start : run.stop])], max_samples)


def size(samples: FamilySamples) -> int:
    """Return how many samples or histograms a family sends."""
    return (len(samples.streams) + len(samples.zero_samples)) * len(samples.family.names)


def cut(samples: FamilySamples, runs: Sequence[range], streams: Sequence[Stream]) -> FamilySamples:
    """Return the samples of some of the streams.

    Args:
        samples: Of all streams.
        runs: The positions of the streams to keep.
        streams: These streams.
    """
    series = len(samples.family.names)
    values = array("d")
    for run in runs:
        values += samples.values[run.start * series : run.stop * series]
    positions = [*chain.from_iterable(runs)] if samples.exemplars or samples.zero_samples else ()
    places = {position: place for place, position in enumerate(positions)} if samples.exemplars else {}
    exemplars = {
        places[position // series] * series + position % series: several
        for position, several in samples.exemplars.items()
        if position // series in places
    }
    zero_samples = {
        place: samples.zero_samples[position]
        for place, position in enumerate(positions)
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
