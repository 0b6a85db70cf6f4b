"""The exports of an application, one by one.

Seconds are those of the CPU, which is all that this work waits for: so a busy neighbour disturbs them least.
"""

from __future__ import annotations

import gc
import time

from tests.benchmarks.exporters import encode
from tests.benchmarks.load import Application, Load


class Exports:
    """An application that measures, collects and exports, whenever it is told to.

    Args:
        exporter: Its name.
        load: The work of one export.
    """

    def __init__(self, exporter: str, load: list[int]) -> None:
        self._application = Application(Load(*load))
        self._encode = encode(exporter)

    def export(self, *, collect_garbage: bool) -> tuple[float, float, int]:
        """Export once.

        Args:
            collect_garbage: Whether Python's garbage collector is enabled.

        Returns:
            The CPU seconds of the SDK's collection, those of the export without HTTP, and the bytes that it would send.
        """
        self._application.record()
        if not collect_garbage:
            gc.disable()
        started = time.process_time()
        data = self._application.collect()
        collected = time.process_time()
        bodies = self._encode(data)
        ended = time.process_time()
        gc.enable()
        return collected - started, ended - collected, sum(map(len, bodies))
