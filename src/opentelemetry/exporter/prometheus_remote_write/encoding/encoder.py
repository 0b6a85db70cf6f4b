"""From frames to requests, ready to be sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from opentelemetry.exporter.prometheus_remote_write.encoding import protocol_1
from opentelemetry.exporter.prometheus_remote_write.encoding.batches import Batches
from opentelemetry.exporter.prometheus_remote_write.encoding.compression import compressor
from opentelemetry.exporter.prometheus_remote_write.encoding.request import Request
from opentelemetry.exporter.prometheus_remote_write.model import Metadata
from opentelemetry.exporter.prometheus_remote_write.series import Frame

_METADATA_INTERVAL = 60.0  # seconds, as Prometheus's own sender


class Encoder:
    """Encodes exports as requests of Remote Write 1.0.

    Args:
        max_samples: In one request.
        clock: Seconds that only go up; tells when metadata is due again.
    """

    def __init__(self, max_samples: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._batches = Batches(protocol_1.Protocol1, max_samples)
        self._compress = compressor()
        self._clock = clock
        self._metadata_due = clock()

    def encode(self, frames: Iterable[Frame]) -> Iterator[Request]:
        """Encode one export.

        Args:
            frames: At most one for each family. What is not among them is forgotten.

        Yields:
            The requests; no two of them hold the same series.
        """
        families: list[Metadata] = []

        def noted() -> Iterator[Frame]:
            for frame in frames:
                families.append(frame.family.metadata)
                yield frame

        for load in self._batches.encode(noted()):
            yield Request(
                self._compress(load.message), protocol_1.HEADERS, load.samples, load.histograms, load.exemplars
            )
        if families and self._clock() >= self._metadata_due:
            self._metadata_due = self._clock() + _METADATA_INTERVAL
            yield Request(self._compress(protocol_1.metadata_request(families)), protocol_1.HEADERS, 0, 0, 0)
