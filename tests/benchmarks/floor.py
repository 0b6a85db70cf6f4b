"""A floor under the figures of speed: what even an exporter must do that has nothing to find, check or decide."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate
from struct import Struct
from typing import Any

import snappy
from opentelemetry.sdk.metrics.export import MetricsData

from tests.benchmarks.exporters import encode
from tests.benchmarks.load import Application, Load

_TAIL = b"\x10" + bytes(6)
_VALUE_AND_TAIL = 8 + len(_TAIL)  # bytes
_CHUNK = 60 * 1024  # bytes that are compressed at a time


class Floor:
    """Reads what the SDK has collected, joins each value with bytes that are there already, and compresses.

    Args:
        protocol: The version whose messages are imitated: as many series, with as many bytes, and the same text.
        load: The work of one export.
    """

    def __init__(self, protocol: str, load: list[int]) -> None:
        self._application = Application(Load(*load))
        message = b"".join(map(snappy.uncompress, encode(protocol)(self._application.collect())))
        series = Load(*load).series
        size = len(message) // series
        self._heads = [message[size * each : size * (each + 1) - _VALUE_AND_TAIL] for each in range(series)]
        self._values = Struct("8s" * series)
        self._pieces_of_a_chunk = 3 * (_CHUNK // size)

    def export(self) -> float:
        """Return the CPU seconds of an export."""
        self._application.record()
        data = self._application.collect()
        started = time.process_time()
        pieces = [_TAIL] * (3 * len(self._heads))
        pieces[::3] = self._heads
        pieces[1::3] = self._values.unpack(_read(data))
        for start in range(0, len(pieces), self._pieces_of_a_chunk):
            snappy.compress(b"".join(pieces[start : start + self._pieces_of_a_chunk]))
        return time.process_time() - started


def _read(data: MetricsData) -> bytes:
    values = array("d")
    for metric in _metrics(data):
        points = metric.data.data_points
        # What a series is, when it began, and the time of its sample: to be read, if only to see that nothing changed.
        identities = [point.attributes for point in points]
        starts = [point.start_time_unix_nano for point in points]
        times = [point.time_unix_nano for point in points]
        assert len(identities) == len(starts) == len(times)
        values.extend(_numbers(points))
    return values.tobytes()


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
