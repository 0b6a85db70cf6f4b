"""The samples of a family in columns, for comparison with the previous collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..system.time_slice import TimeSlice
from .samples import timestamp_of


class Columns(NamedTuple):
    """The samples of a family, turned into columns."""

    names: list[str]
    labels: list[Mapping[str, str]]
    values: list[float]
    timestamps: list[Any]
    exemplars: list[Any]
    histograms: list[Any]


def columns_of(samples: Sequence[Any], time_slice: TimeSlice) -> Columns:
    """Turn the library's samples into columns.

    Args:
        samples: The library's.
        time_slice: Yields the GIL between pieces of work.

    Raises:
        TypeError: They do not all have the same shape.
        ValueError: The same.
    """
    whole = Columns([], [], [], [], [], [])
    columns: tuple[list[Any], ...] = whole
    for (some,) in time_slice.blocks(samples):
        if not some:
            break
        names, labels, values, *others = zip(*some, strict=True)
        nothing = (None,) * len(some)
        timestamps, exemplars, histograms, *_ = [*others, nothing, nothing, nothing]
        if any(histograms):
            values = tuple(0.0 if histogram else value for value, histogram in zip(values, histograms, strict=True))
        for column, more in zip(columns, (names, labels, values, timestamps, exemplars, histograms), strict=True):
            column.extend(more)
    return whole


def times_of(columns: Columns, now: int, time_slice: TimeSlice) -> Sequence[int]:
    """Return the samples' own times in milliseconds since the epoch; empty if none has one.

    Args:
        columns: The samples.
        now: The time for samples without one, in milliseconds since the epoch.
        time_slice: Yields the GIL between pieces of work.

    Raises:
        Untranslatable: One is out of range.
        TypeError: One is not a number.
        ValueError: The same.
        OverflowError: One is infinite.
    """
    if columns.timestamps.count(None) == len(columns.timestamps):
        return ()
    return [timestamp_of(time, now) for time in time_slice.between(columns.timestamps)]
