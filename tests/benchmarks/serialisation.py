"""Protobuf's C code at our work."""

from __future__ import annotations

import time

import snappy

from opentelemetry.exporter.prometheus_remote_write.proto.write_v1_pb2 import WriteRequest
from tests.benchmarks.exporters import OURS_1, encode
from tests.benchmarks.load import Application, Load


class Serialisation:
    """A ``prometheus.WriteRequest`` with all series of a load, already built.

    Args:
        load: The work of one export.
    """

    def __init__(self, load: list[int]) -> None:
        bodies = encode(OURS_1)(Application(Load(*load)).collect())
        # Messages one behind the other are one message with the series of all of them.
        self._message = WriteRequest.FromString(b"".join(map(snappy.uncompress, bodies)))

    def serialise(self) -> float:
        """Return the CPU seconds of serialising it."""
        started = time.process_time()
        self._message.SerializeToString()
        return time.process_time() - started
