"""Stale markers: samples that say of a series that it has ended, so that no query finds it any more.

A marker is a NaN of one certain bit pattern (Remote Write 1.0, section Stale Markers), for a native histogram in its
sum. It is a signalling NaN, which arithmetic would turn into another one; so it is made of bytes and only ever copied.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from ..model.family import Family, FamilySamples, SeriesName, Stream
from ..model.remote_write import Labels, NativeHistogram

_BITS = 0x7FF0000000000002
_BYTES = struct.pack("=Q", _BITS)
(_NAN,) = struct.unpack("=d", _BYTES)
_HISTOGRAM = NativeHistogram(0, _NAN, 0, 0.0, 0, (), (), (), ())


def marked(family: Family, streams: Sequence[Stream], at: int) -> FamilySamples:
    """Return the samples that mark all series of some streams as stale.

    Args:
        family: The family of the streams.
        streams: The streams.
        at: When, in milliseconds since the epoch.
    """
    values = array("d")
    if not family.native:
        values.frombytes(_BYTES * (len(streams) * len(family.names)))
    histograms = [_HISTOGRAM] * len(streams) if family.native else ()
    return FamilySamples(family, streams, at, values, histograms, {}, tells_points=False)


def carried_on(
    names: Collection[SeriesName], present: Iterable[tuple[Family, Iterable[Stream]]]
) -> dict[SeriesName, AbstractSet[Labels]]:
    """Find the series of some names that there are.

    A stream that began anew is another stream with the same series; and where a metric changed its description, or a
    histogram its bounds, series of one family go on as those of another.

    Args:
        names: The names.
        present: The families that are sent, with their streams.

    Returns:
        The labels, by name.
    """
    found: dict[SeriesName, AbstractSet[Labels]] = {}
    for family, streams in present:
        shared = [name for name in family.names if name in names]
        labels = {stream.labels for stream in streams} if shared else set()
        for name in shared:
            found[name] = found[name] | labels if name in found else labels
    return found


def ended(
    family: Family, streams: Iterable[Stream], present: Mapping[SeriesName, AbstractSet[Labels]]
) -> Iterator[tuple[Family, list[Stream]]]:
    """Find the series of streams that are gone which are not there any more.

    Args:
        family: The family of the streams.
        streams: The streams that are gone.
        present: The labels of the series that are there, by name.

    Yields:
        The family and those streams of which all series have ended. Where it is only some of a stream's series, a
        family and a stream that have no others.
    """
    by_names: dict[tuple[SeriesName, ...], list[Stream]] = {}
    for stream in streams:
        names = tuple(name for name in family.names if stream.labels not in present.get(name, ()))
        by_names.setdefault(names, []).append(stream)
    for names, alike in by_names.items():
        if names == family.names:
            yield family, alike
        elif names:
            part = Family(family.metric, family.metadata, names, family.native)
            yield part, [Stream(stream.labels, stream.start, stream.label_bytes) for stream in alike]
