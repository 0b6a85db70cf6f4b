"""Series prefixes: what precedes the value of a series in a request, the same in every export.

A prefix is the series' tag and length, its labels, in 2.0 its metadata, and the opening of its sample. The series of a
stream differ only in ``__name__`` and ``le``; so a histogram's series with the same name and an ``le`` of the same
length begin with the same bytes, and all of them end with the same bytes.
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
        beginnings: The distinct pairs of ``__name__`` and its size in bytes together with ``le``.
        series: For each series its position in ``beginnings``, and ``le``.
        after_labels: What follows the labels.
        step: How many pieces a series has: its prefix, its value and its suffix.
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
    """Return the prefixes of a stream's series, each followed by room for its value and its suffix.

    Args:
        encoder: The request's.
        constants: Those of the stream's family.
        stream: The stream.
        zero_sample: The time of a sample of 0 that precedes the value, in milliseconds since the epoch.

    Returns:
        ``constants.step`` pieces for each series; the last two of them are empty.
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
    # Two ways only for speed: most streams have one series; a histogram's many are built in columns.
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
    """Return the constant part of a series of native histograms: its labels and what follows them."""
    first, middle, last = encoder.labels(stream.labels)
    ((name, _),) = constants.beginnings
    labels = b"".join((first, name, middle, last))
    return b"".join((encoder.before_labels(len(labels)), labels, constants.after_labels))
