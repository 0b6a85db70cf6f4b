"""Stale markers: samples that mark the end of a series, so that queries no longer find it.

A marker is a NaN with a certain bit pattern (Remote Write 1.0, section Stale Markers), in a native histogram as its
sum. It is a signalling NaN, which arithmetic would change; so it is made from bytes and only ever copied.
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
    """Find the present series that have some names.

    A stream that restarted is another stream with the same series; and if a metric's description or a histogram's
    bounds change, series of one family continue in another.

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
    """Find the ended series among those of streams that are gone.

    Args:
        family: The family of the streams.
        streams: The streams that are gone.
        present: The labels of the present series, by name.

    Yields:
        The family and the streams whose series have all ended. If only some of a stream's series have, a family and a
        stream with only these.
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
