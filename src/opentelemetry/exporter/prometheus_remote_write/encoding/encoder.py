"""From family samples to requests, ready to be sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator

from ..model.family import Family, FamilySamples
from ..model.remote_write import Metadata
from ..model.request import PROTOCOL_1, PROTOCOL_2, Request
from ..system.time_slice import TimeSlice
from . import remote_write_1, remote_write_2
from .batches import Batches, Load
from .compression import Compress
from .series_encoder import SeriesEncoder

HEADERS = {PROTOCOL_1: remote_write_1.HEADERS, PROTOCOL_2: remote_write_2.HEADERS}
"""The headers of a request, by protocol version."""

_ENCODERS: dict[str, Callable[[], SeriesEncoder]] = {
    PROTOCOL_1: remote_write_1.RemoteWrite1,
    PROTOCOL_2: remote_write_2.RemoteWrite2,
}
_METADATA_INTERVAL = 60.0  # seconds, as Prometheus's own sender


class Encoder:
    """Encodes exports as requests of one version of Remote Write.

    Args:
        protocol: The version.
        max_samples: In one request.
        compress: Compresses a message into a body.
        stale_markers: Whether a series that ends is marked as stale.
        clock: Monotonic seconds; decides when metadata is due again.
        time_slice: Yields the GIL between pieces of work.
    """

    def __init__(  # noqa: PLR0913 - all but three are by keyword
        self,
        protocol: str,
        max_samples: int,
        compress: Compress,
        *,
        stale_markers: bool = False,
        clock: Callable[[], float] = time.monotonic,
        time_slice: TimeSlice | None = None,
    ) -> None:
        self.protocol = protocol
        self.max_samples = max_samples
        self._time_slice = time_slice or TimeSlice()
        self._batches = Batches(
            _ENCODERS[protocol], max_samples, stale_markers=stale_markers, time_slice=self._time_slice
        )
        self._compress = compress
        self._clock = clock
        self._metadata_due = clock()

    def encode(self, all_samples: Iterable[FamilySamples]) -> Iterator[Request]:
        """Encode one export.

        Args:
            all_samples: At most one item per family. Families that are missing are forgotten.

        Yields:
            The requests; no two of them hold the same series.
        """
        families: list[Metadata] = []

        def noted() -> Iterator[FamilySamples]:
            for family_samples in self._time_slice.between(all_samples):
                families.append(family_samples.family.metadata)
                yield family_samples

        yield from map(self._request, self._batches.encode(noted()))
        # A series of 2.0 carries its metadata; receivers of 1.0 expect it in separate requests now and then.
        if self.protocol == PROTOCOL_1 and families and self._clock() >= self._metadata_due:
            self._metadata_due = self._clock() + _METADATA_INTERVAL
            for pieces in remote_write_1.metadata_messages(self._time_slice.between(families), self.max_samples):
                yield Request(self._compress([b"".join(pieces)]), self.protocol, 0, 0, 0)

    def end(self, at: int) -> Iterator[Request]:
        """Encode the end of all series; without stale markers that is nothing.

        Args:
            at: When, in milliseconds since the epoch.
        """
        yield from map(self._request, self._batches.encode((), at))

    def leave(self, families: Collection[Family]) -> None:
        """Stop sending some families without marking them as stale: another process continues them."""
        self._batches.leave(families)

    def take_over(self, other: Encoder) -> None:
        """Take over the series of another encoder, so that no end is missed."""
        self._batches.take_over(other._batches)

    def _request(self, load: Load) -> Request:
        body = self._compress(self._time_slice.between(load.pieces))
        return Request(body, self.protocol, load.samples, load.histograms, load.exemplars, load.batch, load.points)
