"""Frames divided: among the requests that their streams travel in, and where a request would hold too much."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TypeVar

from ..model.family import Frame, Stream

_Item = TypeVar("_Item")


def divided(frames: Sequence[Frame], max_samples: int) -> Iterator[Sequence[Frame]]:
    """Divide what a batch sends where seeds or markers make it more than a request may hold.

    Args:
        frames: What the batch sends.
        max_samples: In one request, but for a stream that has more by itself.

    Yields:
        What each request holds.
    """
    middle = len(frames) // 2
    if sum(map(size, frames)) <= max_samples:
        yield frames
    elif middle:
        yield from divided(frames[:middle], max_samples)
        yield from divided(frames[middle:], max_samples)
    elif (middle := len(frames[0].streams) // 2) == 0:
        yield frames
    else:
        (frame,) = frames
        for run in (range(middle), range(middle, len(frame.streams))):
            yield from divided([cut(frame, [run], frame.streams[run.start : run.stop])], max_samples)


def size(frame: Frame) -> int:
    """Returns how many samples or histograms a frame sends."""
    return (len(frame.streams) + len(frame.seeds)) * len(frame.family.names)


def cut(frame: Frame, runs: Sequence[range], streams: Sequence[Stream]) -> Frame:
    """Returns a frame with some of its streams.

    Args:
        frame: The frame.
        runs: The positions of the streams that stay.
        streams: These streams.
    """
    series = len(frame.family.names)
    values = array("d")
    for run in runs:
        values += frame.values[run.start * series : run.stop * series]
    positions = [*chain.from_iterable(runs)] if frame.exemplars or frame.seeds else ()
    places = {position: place for place, position in enumerate(positions)} if frame.exemplars else {}
    exemplars = {
        places[position // series] * series + position % series: several
        for position, several in frame.exemplars.items()
        if position // series in places
    }
    seeds = {place: frame.seeds[position] for place, position in enumerate(positions) if position in frame.seeds}
    timestamps = frame.timestamps
    if not isinstance(timestamps, int):
        timestamps = chosen(timestamps, runs)
    return Frame(frame.family, streams, timestamps, values, chosen(frame.histograms, runs), exemplars, seeds)


def chosen(items: Sequence[_Item], runs: Sequence[range]) -> list[_Item]:
    """Returns the items at some positions; of none, none."""
    return [item for run in runs for item in items[run.start : run.stop]]
