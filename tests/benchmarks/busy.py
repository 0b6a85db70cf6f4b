"""A busy application's thread, with an exporter beside it."""

from __future__ import annotations

import json
import threading
import time
from statistics import median, quantiles

from opentelemetry.sdk.metrics.export import MetricExportResult

from tests.benchmarks.exporters import exporter
from tests.benchmarks.load import Application, Load

_DOCUMENT = {"customer": 17, "items": [{"article": f"article {number}", "price": number / 7} for number in range(60)]}


class Busy:
    """A thread that handles one request after the other, of a tenth of a millisecond or so.

    What is exported beside it was collected before, so that the thread waits for the exporter only.

    Args:
        name: The exporter's.
        load: The work of one export.
        url: Of a receiver, without a path.
    """

    def __init__(self, name: str, load: list[int], url: str) -> None:
        application = Application(Load(*load))
        self._exporter = exporter(name, url)
        self._collected = []
        for _ in range(3):
            application.record()
            self._collected.append(application.collect())
        for _ in range(3):
            self._export()

    def latencies(self, *, seconds: float, exporting: bool) -> tuple[float, float, int]:
        """Work for a while.

        Args:
            seconds: How long.
            exporting: Whether exports run meanwhile, back to back.

        Returns:
            The 99th percentile of the requests' times in seconds, their median, and the number of exports.
        """
        over = threading.Event()
        exports: list[None] = []

        def export() -> None:
            while not over.is_set():
                exports.append(self._export())

        beside = threading.Thread(target=export)
        if exporting:
            beside.start()
        times = []
        now = time.perf_counter()
        end = now + seconds
        while now < end:
            json.loads(json.dumps(_DOCUMENT, sort_keys=True))
            before, now = now, time.perf_counter()
            times.append(now - before)
        over.set()
        if exporting:
            beside.join()
        return quantiles(times, n=100)[98], median(times), len(exports)

    def _export(self) -> None:
        self._collected.append(self._collected.pop(0))
        result = self._exporter.export(self._collected[0])
        if result is not MetricExportResult.SUCCESS:
            raise RuntimeError("an export failed, so it took no time")
