"""The samples of a family in columns, for comparison with the previous collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .samples import timestamp_of


class Columns(NamedTuple):
    """The samples of a family, turned into columns."""

    names: Sequence[str]
    labels: Sequence[Mapping[str, str]]
    values: Sequence[float]
    timestamps: Sequence[Any]
    exemplars: Sequence[Any]
    histograms: Sequence[Any]


def columns_of(samples: Sequence[Any]) -> Columns:
    """Turn the library's samples into columns.

    Raises:
        TypeError: They do not all have the same shape.
        ValueError: The same.
    """
    if not samples:
        return Columns((), (), (), (), (), ())
    names, labels, values, *others = zip(*samples, strict=True)
    nothing = (None,) * len(samples)
    timestamps, exemplars, histograms, *_ = [*others, nothing, nothing, nothing]
    if any(histograms):
        values = tuple(0.0 if histogram else value for value, histogram in zip(values, histograms, strict=True))
    return Columns(names, labels, values, timestamps, exemplars, histograms)


def times_of(columns: Columns, now: int) -> Sequence[int]:
    """Return the samples' own times in milliseconds since the epoch; empty if none has one.

    Raises:
        Untranslatable: One is out of range.
        TypeError: One is not a number.
        ValueError: The same.
        OverflowError: One is infinite.
    """
    if columns.timestamps.count(None) == len(columns.timestamps):
        return ()
    return [timestamp_of(time, now) for time in columns.timestamps]
