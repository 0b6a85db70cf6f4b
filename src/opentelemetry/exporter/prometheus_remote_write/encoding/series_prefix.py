"""Series prefixes: what comes before the value of a series in a request, the same in every export.

A prefix is what the series begins with, its labels, what 2.0 says of its family, and the opening of its sample. The
series of a stream differ only in ``__name__`` and ``le``; so of a histogram, those that have the first in common and
``le`` of one length begin with the same bytes, and all end with the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..model.family import Family, Stream
from ..model.remote_write import BUCKET_BOUND, METRIC_NAME
from .series_encoder import SeriesEncoder
from .wire import timestamp, varint

TIMESTAMP = b"\x10"  # the tag of a sample's second field
_STEP = len(("prefix", "value", "suffix"))
_STEP_OF_SHARED = len(("beginning", "le", "end", "value", "suffix"))
_ZERO = bytes(8)
_VALUE_AND_TIMESTAMP = 8 + len(TIMESTAMP) + len(timestamp(0))  # bytes of a sample after its prefix


class FamilyConstants(NamedTuple):
    """What the prefixes of a family have in common, encoded.

    Args:
        beginnings: The different pairs of ``__name__`` and how many bytes it takes together with ``le``.
        series: Of each series the position in ``beginnings``, and ``le``.
        after_labels: What comes after the labels.
        step: How many pieces a series is: its prefix, its value and its suffix.
    """

    beginnings: Sequence[tuple[bytes, int]]
    series: Sequence[tuple[int, bytes]]
    after_labels: bytes
    step: int


def family_constants(encoder: SeriesEncoder, family: Family) -> FamilyConstants:
    """Return what the prefixes of a family have in common."""
    after_labels = encoder.after_labels(family)
    positions: dict[tuple[bytes, int], int] = {}
    series = []
    for name, bound in family.names:
        le = encoder.label((BUCKET_BOUND, bound)) if bound else b""
        encoded_name = encoder.label((METRIC_NAME, name))
        beginning = encoded_name, len(encoded_name) + len(le)
        series.append((positions.setdefault(beginning, len(positions)), le))
    step = _STEP_OF_SHARED if encoder.long_labels and len(series) > 1 else _STEP
    return FamilyConstants([*positions], series, after_labels, step)


def prefixes(
    encoder: SeriesEncoder, constants: FamilyConstants, stream: Stream, zero_sample: int | None = None
) -> list[bytes]:
    """Return the prefixes of a stream's series, after each of them room for its value and its suffix.

    Args:
        encoder: Of the request.
        constants: Of the stream's family.
        stream: The stream.
        zero_sample: When a sample of 0 comes before the one whose value follows the prefix, in milliseconds since the
            epoch.

    Returns:
        So many pieces for each series as ``constants.step`` says; the last two of them are empty.
    """
    first, middle, last = encoder.labels(stream.labels)
    opening = encoder.sample_opening(stream.start)
    end = last + constants.after_labels + opening
    if zero_sample is not None:
        # The start of a zero sample is never later than the zero sample itself.
        zero_sample_opening = opening if zero_sample >= stream.start else encoder.sample_opening(zero_sample)
        end = b"".join(
            (last, constants.after_labels, zero_sample_opening, _ZERO, TIMESTAMP, timestamp(zero_sample), opening)
        )
    own_size = len(first) + len(middle) + len(last)
    size_after_labels = len(end) - len(last) + _VALUE_AND_TIMESTAMP
    begun = []
    for name, size_of_name_and_le in constants.beginnings:
        size = own_size + size_of_name_and_le
        before = encoder.before_labels(size)
        length = varint(len(before) + size + size_after_labels)
        begun.append(b"".join((encoder.series_tag, length, before, first, name, middle)))
    # For speed alone: the one series of most streams by itself, the many of a histogram in columns.
    if len(constants.series) == 1:
        ((_, le),) = constants.series
        return [begun[0] + le + end, b"", b""]
    pieces = [b""] * (constants.step * len(constants.series))
    if constants.step == _STEP_OF_SHARED:
        pieces[0::_STEP_OF_SHARED] = [begun[beginning] for beginning, _ in constants.series]
        pieces[1::_STEP_OF_SHARED] = [le for _, le in constants.series]
        pieces[2::_STEP_OF_SHARED] = [end] * len(constants.series)
    else:
        pieces[::_STEP] = [begun[beginning] + le + end for beginning, le in constants.series]
    return pieces


def fields_of_native(encoder: SeriesEncoder, constants: FamilyConstants, stream: Stream) -> bytes:
    """Return what is constant of a series of native histograms: its labels and what comes after them."""
    first, middle, last = encoder.labels(stream.labels)
    ((name, _),) = constants.beginnings
    labels = b"".join((first, name, middle, last))
    return b"".join((encoder.before_labels(len(labels)), labels, constants.after_labels))
