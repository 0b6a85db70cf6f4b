"""A floor under the figures of speed: what even an exporter must do that has nothing to decide and trusts what it gets.

It reads what the SDK has collected, joins each value with bytes that are there already, and compresses: as many series
as ours, of as many bytes and much the same text. Of streams that are new it makes the bytes, with a zero sample; the
others it finds by the identity of their attributes. It compares nothing, registers nothing, and what it writes nobody
can read.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, chain, cycle, islice
from operator import is_
from struct import Struct
from typing import Any, NamedTuple

import snappy
from opentelemetry.sdk.metrics.export import MetricsData

from tests.benchmarks.exporters import OURS_1, Encode
from tests.benchmarks.exporters import encode as encode_as
from tests.benchmarks.load import WORK, Application

_SUFFIX = b"\x10" + bytes(6)
_VALUE_AND_SUFFIX = 8 + len(_SUFFIX)  # bytes
_ZERO_SAMPLE = b"\x12\x10\x09" + bytes(8) + _SUFFIX
_CHUNK = 60 * 1024  # bytes that are compressed at a time
_LABELS_KEPT = 10_000


def encode(name: str) -> Encode:
    """Return the floor's work.

    Args:
        name: "the floor of" and the version whose messages are imitated.
    """
    return _Floor(name.removeprefix("the floor of ")).encode


class _Known(NamedTuple):
    """The streams of a metric: their attributes, the bytes of the series of each, and all these in one list."""

    identities: list[object]
    prefixes: list[list[bytes]]
    in_a_row: list[bytes]


class _Floor:
    def __init__(self, protocol: str) -> None:
        data = Application(WORK).collect()  # before the exporter is made, so that nothing in it has a zero sample
        message = b"".join(map(snappy.uncompress, encode_as(protocol)(data)))
        self._size = len(message) // WORK.series
        self._text = message
        self._starts = cycle(range(0, self._size * WORK.series, self._size))
        self._known: dict[str, _Known] = {}
        self._references: dict[str, bytes] = {}
        self._label = lru_cache(maxsize=_LABELS_KEPT)(_written if protocol == OURS_1 else self._referred)

    def encode(self, data: MetricsData) -> list[bytes]:
        pieces: list[bytes] = []
        for metric in _metrics(data):
            points = metric.data.data_points
            # When it began, and the time of its sample: to be read, if only to see that nothing changed.
            starts = [point.start_time_unix_nano for point in points]
            times = [point.time_unix_nano for point in points]
            assert len(starts) == len(times)
            values = array("d", _numbers(points)).tobytes()
            prefixes = self._prefixes(metric.name, points, len(values) // 8 // len(points))
            pieces += _joined(prefixes, values)
        step = 3 * (_CHUNK // self._size)
        return [snappy.compress(b"".join(pieces[start : start + step])) for start in range(0, len(pieces), step)]

    def _prefixes(self, metric: str, points: Sequence[Any], series: int) -> list[bytes]:
        identities = [point.attributes for point in points]
        before = self._known.get(metric, _Known([], [], []))
        if len(identities) == len(before.identities) and all(map(is_, identities, before.identities)):
            return before.in_a_row
        places = dict(zip(map(id, before.identities), before.prefixes, strict=True))
        prefixes = list(map(places.get, map(id, identities)))
        sent = [*prefixes]
        for position, found in enumerate(prefixes):
            if found is None:
                prefixes[position] = self._made(identities[position], series)
                sent[position] = [prefix + _ZERO_SAMPLE for prefix in prefixes[position]]
        self._known[metric] = _Known(identities, prefixes, [*chain.from_iterable(prefixes)])
        return [*chain.from_iterable(sent)]

    def _made(self, attributes: dict[str, Any], series: int) -> list[bytes]:
        labels = b"".join(map(self._label, sorted(attributes.items())))
        others = self._size - len(labels) - _VALUE_AND_SUFFIX
        return [labels + self._text[start : start + others] for start in islice(self._starts, series)]

    def _referred(self, label: tuple[str, Any]) -> bytes:
        key, value = label
        return self._reference(key) + self._reference(str(value))

    def _reference(self, text: str) -> bytes:
        return self._references.setdefault(text, (len(self._references) % (1 << 16)).to_bytes(2, "little"))


def _joined(prefixes: list[bytes], values: bytes) -> list[bytes]:
    pieces = [_SUFFIX] * (3 * len(prefixes))
    pieces[::3] = prefixes
    pieces[1::3] = _doubles(len(prefixes)).unpack(values)
    return pieces


def _written(label: tuple[str, Any]) -> bytes:
    key, value = label
    return b"\x0a%c\x0a%c%b\x12%c%b" % (len(key), len(key), key.encode(), len(str(value)), str(value).encode())


def _numbers(points: Sequence[Any]) -> list[float]:
    if hasattr(points[0], "value"):
        return [point.value for point in points]
    numbers: list[float] = []
    for point in points:
        numbers += accumulate(point.bucket_counts)
        numbers += (point.sum, point.count)
    return numbers


def _metrics(data: MetricsData) -> Iterator[Any]:
    for resource in data.resource_metrics:
        for scope in resource.scope_metrics:
            yield from scope.metrics


@lru_cache
def _doubles(number: int) -> Struct:
    return Struct("8s" * number)
