"""From metrics data to requests: translation and encoding, in one protocol version."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from opentelemetry.sdk.metrics.export import MetricsData

from .configuration.settings import Settings
from .encoding.compression import Compress
from .encoding.encoder import Encoder
from .model.family import FamilySamples
from .model.request import PROTOCOL_2, Request
from .model.timestamps import NANOSECONDS_PER_MILLISECOND
from .prometheus_client.source import Collected
from .prometheus_client.translator import PrometheusClientTranslator
from .system.time_slice import TimeSlice
from .translation.dropped_points import DroppedPoints
from .translation.series_limit import PROCESS
from .translation.translator import Translator
from .translation.zero_samples import ZeroSamples


class ExportMeasurements(NamedTuple):
    """The size of an export, and how many seconds its steps took."""

    series: int = 0
    samples: int = 0
    requests: int = 0
    bytes: int = 0
    translation: float = 0.0
    encoding: float = 0.0


class Pipeline:
    """Makes the requests of export after export, and remembers what does not change between them.

    It remembers one protocol version and one size of requests; another of either takes another pipeline.

    Args:
        settings: The exporter's.
        dropped: Where dropped points are counted.
        compress: Compresses a message into the body of a request.
        protocol: The version of Remote Write.
        max_samples: In one request.
        began: Since when counts are certainly new to the receiver, in nanoseconds since the epoch; None is now.
        resources_as_labels: Whether every resource attribute is copied onto every series.

    Attributes:
        last: The size of the last export, and the time it took.
    """

    def __init__(  # noqa: PLR0913 - all but three are by keyword
        self,
        settings: Settings,
        dropped: DroppedPoints,
        compress: Compress,
        *,
        protocol: str,
        max_samples: int,
        began: int | None = None,
        resources_as_labels: bool = False,
    ) -> None:
        self.protocol = protocol
        self.max_samples = max_samples
        self._time_slice = TimeSlice()
        self.last = ExportMeasurements()
        self._encoder = Encoder(
            protocol, max_samples, compress, stale_markers=settings.stale_markers, time_slice=self._time_slice
        )
        self._zero_samples = ZeroSamples(time.time_ns() if began is None else began, self._time_slice)
        self._translator = Translator(
            settings,
            dropped,
            resources_as_labels=resources_as_labels,
            custom_buckets=settings.convert_histograms_to_nhcb and protocol == PROTOCOL_2,
            zero_samples=None if settings.disable_zero_samples else self._zero_samples,
            series_limit=PROCESS,
            time_slice=self._time_slice,
        )
        self._of_prometheus_client = PrometheusClientTranslator(
            settings,
            dropped,
            self._translator.registry,
            unmatched_globs=self._translator.unmatched_globs,
            resources_as_labels=resources_as_labels,
            zero_samples=None if settings.disable_zero_samples else self._zero_samples,
            time_slice=self._time_slice,
        )
        self._of_shared_folder = PrometheusClientTranslator(
            settings,
            dropped,
            self._translator.registry,
            registry=self._of_prometheus_client.registry,
            unmatched_globs=self._translator.unmatched_globs,
            resources_as_labels=resources_as_labels,
            time_slice=self._time_slice,
        )

    def requests(
        self, metrics_data: MetricsData, collected: Collected | None = None, *, gives_way: bool = False
    ) -> list[Request]:
        """Return the requests of an export; no series is in two of them.

        Args:
            metrics_data: What the SDK collected.
            collected: What was collected from prometheus_client, if that is pushed, too.
            gives_way: Whether threads of the application go first, because nobody waits for the export.
        """
        self._time_slice.begin(gives_way=gives_way)
        samples = self._translator.translate(metrics_data)
        if collected:
            samples = chain(samples, self._of_prometheus_client.translate(collected.own, collected.time))
            if collected.shared:
                samples = chain(samples, self._of_shared_folder.translate(collected.shared, collected.time))
            else:
                self.leave_shared()
        translation = _Stopwatch(samples)
        began = time.perf_counter()
        requests = list(self._encoder.encode(translation))
        self._time_slice.end()
        self.last = ExportMeasurements(
            series=self.series,
            samples=sum(request.size for request in requests),
            requests=len(requests),
            bytes=sum(len(request.body) for request in requests),
            translation=translation.seconds,
            encoding=time.perf_counter() - began - translation.seconds,
        )
        return requests

    @property
    def series(self) -> int:
        """How many series are sent."""
        return self._translator.registry.usage.size

    def end_export(self, *, lost: bool) -> None:
        """End an export.

        Args:
            lost: Whether all of it was lost, so that the next export has to repeat its zero samples.
        """
        self._zero_samples.end_export(lost=lost)

    def leave_shared(self) -> None:
        """Leave the series that several processes share to another process, which continues them."""
        self._encoder.leave({*self._of_shared_folder.families()})
        self._of_shared_folder.release()

    def ends(self) -> list[Request]:
        """Return the stale markers of all series, if they are enabled."""
        self._time_slice.begin(gives_way=False)
        return list(self._encoder.end(time.time_ns() // NANOSECONDS_PER_MILLISECOND))

    def release(self) -> None:
        """Give up all series."""
        self._of_prometheus_client.release()
        self._of_shared_folder.release()
        self._translator.release()

    def take_over(self, other: Pipeline, *, gives_way: bool = False) -> None:
        """Take over the series of another pipeline, so that no end is missed, and its last measurements.

        Args:
            other: Which is not used anymore.
            gives_way: Whether threads of the application go first, because nobody waits for the export.
        """
        self._time_slice.begin(gives_way=gives_way)
        self._encoder.take_over(other._encoder)
        self.last = other.last
        self._time_slice.end()

    def detach(self) -> None:
        """Release the series limit, in whatever state the series are; nothing more is translated."""
        self._translator.detach()


class _Stopwatch:
    """Measures how long the generators of family samples are at work."""

    def __init__(self, all_samples: Iterable[FamilySamples]) -> None:
        self._all_samples = iter(all_samples)
        self.seconds = 0.0

    def __iter__(self) -> Iterator[FamilySamples]:
        return self

    def __next__(self) -> FamilySamples:
        began = time.perf_counter()
        try:
            return next(self._all_samples)
        finally:
            self.seconds += time.perf_counter() - began
