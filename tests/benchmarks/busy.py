"""A busy application's thread, with an exporter beside it."""

from __future__ import annotations

import json
import threading
import time
from statistics import median, quantiles

from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult

from tests.benchmarks.exporters import exporter
from tests.benchmarks.load import Application, Load

_DOCUMENT = {"customer": 17, "items": [{"article": f"article {number}", "price": number / 7} for number in range(60)]}

NOTHING = "nothing"
EXPORTS = "exports"
FIRST_EXPORTS = "first exports"
COLLECTIONS = "collections"


class Busy:
    """A thread that handles one request after the other, of a tenth of a millisecond or so.

    What is exported beside it was collected before, so that the thread waits for the exporter only.

    Args:
        name: The exporter's.
        load: The work of one export.
        url: Of a receiver, without a path.
    """

    def __init__(self, name: str, load: list[int], url: str) -> None:
        self._application = Application(Load(*load))
        self._new_exporter = lambda: exporter(name, url)
        self._exporter = self._new_exporter()
        self._collected = []
        for _ in range(3):
            self._application.record()
            self._collected.append(self._application.collect())
        for _ in range(3):
            self._export(self._exporter)

    def latencies(self, *, seconds: float, beside: str) -> tuple[float, float, float, int, float]:
        """Work for a while.

        Args:
            seconds: How long.
            beside: What runs meanwhile, again and again: ``EXPORTS``, or another of the words above.

        Returns:
            Of the requests' times the 99th percentile, the 99.9th and the median in seconds; how often what runs beside
            them ended, and the CPU seconds that it took each time.
        """
        over = threading.Event()
        ended: list[None] = []
        act = {EXPORTS: self._export_once, FIRST_EXPORTS: self._export_first, COLLECTIONS: self._collect}.get(beside)

        def again_and_again() -> None:
            while not over.is_set():
                ended.append(act())

        other = threading.Thread(target=again_and_again)
        others_before = time.process_time() - time.thread_time()
        if act:
            other.start()
        times = []
        now = time.perf_counter()
        end = now + seconds
        while now < end:
            json.loads(json.dumps(_DOCUMENT, sort_keys=True))
            before, now = now, time.perf_counter()
            times.append(now - before)
        over.set()
        if act:
            other.join()
        others = time.process_time() - time.thread_time() - others_before
        thousandths = quantiles(times, n=1000)
        return thousandths[989], thousandths[998], median(times), len(ended), others / max(len(ended), 1)

    def _export_once(self) -> None:
        self._export(self._exporter)

    def _export_first(self) -> None:
        fresh = self._new_exporter()
        self._export(fresh)
        fresh.shutdown()

    def _collect(self) -> None:
        self._application.collect()

    def _export(self, through: MetricExporter) -> None:
        self._collected.append(self._collected.pop(0))
        result = through.export(self._collected[0])
        if result is not MetricExportResult.SUCCESS:
            raise RuntimeError("an export failed, so it took no time")
