"""Which series end with an export, and the samples that mark them as stale."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from ..model.family import Family, FamilySamples, SeriesName, Stream
from ..model.remote_write import Labels, NativeHistogram
from ..model.stale_marker import STALE, STALE_BYTES

_HISTOGRAM = NativeHistogram(0, STALE, 0, 0.0, 0, (), (), (), ())


def marked(family: Family, streams: Sequence[Stream], at: int) -> FamilySamples:
    """Return the samples that mark all series of some streams as stale.

    Args:
        family: The family of the streams.
        streams: The streams.
        at: When, in milliseconds since the epoch.
    """
    values = array("d")
    if not family.native:
        values.frombytes(STALE_BYTES * (len(streams) * len(family.names)))
    histograms = [_HISTOGRAM] * len(streams) if family.native else ()
    return FamilySamples(family, streams, at, values, histograms, {}, tells_points=False)


def carried_on(
    names: Collection[SeriesName],
    present: Iterable[tuple[Family, Iterable[Stream]]],
    between: Callable[[Iterable[Stream]], Iterable[Stream]] = iter,
) -> dict[SeriesName, AbstractSet[Labels]]:
    """Find the present series that have some names.

    A stream that restarted is another stream with the same series; and if a metric's description or a histogram's
    bounds change, series of one family continue in another.

    Args:
        names: The names.
        present: The families that are sent, with their streams.
        between: Yields the GIL between items.

    Returns:
        The labels, by name.
    """
    found: dict[SeriesName, AbstractSet[Labels]] = {}
    for family, streams in present:
        shared = [name for name in family.names if name in names]
        labels = {stream.labels for stream in between(streams)} if shared else set()
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
