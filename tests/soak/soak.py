"""An application that counts and exports every second, while its Prometheus is killed and started again at random."""

from __future__ import annotations

import ctypes
import gc
import html.entities  # noqa: F401 - four thousand objects, which the first answer with a body imports whenever it comes
import logging
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from tests.servers.prometheus import Prometheus

COUNTERS = 50
STREAMS = 100  # of each counter
FIRST = 1000  # what each stream counts first, so that no number is one of those that Python has made beforehand
INTERVAL = 1.0  # seconds
MAX_CONCURRENT_REQUESTS = 4
LONGEST_OUTAGE = 8.0
LONGEST_PEACE = 12.0
_C_LIBRARY = ctypes.CDLL(None)
OURS = "opentelemetry.exporter.prometheus_remote_write"


class Footprint(NamedTuple):
    """What the process holds at rest: resident memory in bytes, threads, and open file descriptors."""

    memory: int
    threads: int
    descriptors: int

    def peak(self, other: Footprint) -> Footprint:
        """The larger of each number."""
        return Footprint(*map(max, self, other))

    @classmethod
    def now(cls) -> Footprint:
        """That of now, without what the C library keeps of memory that is free."""
        if hasattr(_C_LIBRARY, "malloc_trim"):
            _C_LIBRARY.malloc_trim(0)
        return cls(
            memory=int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"),
            threads=threading.active_count(),
            descriptors=len(list(Path("/proc/self/fd").iterdir())),
        )


NOTHING = Footprint(0, 0, 0)
# What the process may hold more at rest after the warm-up than in it, where no export is under way and nothing waits.
GROWTH = Footprint(
    # Python's allocator keeps what was a backlog, so it goes up by steps and partly down again, and higher where more
    # has waited than in the warm-up. Whether anything is held is what the objects say.
    memory=4 * 1024 * 1024,
    # Those that send and look names up end with the export; on a busy machine one may not be gone yet.
    threads=1,
    # A connection for each request that may be under way at once is kept; how many there are together is up to chance.
    descriptors=MAX_CONCURRENT_REQUESTS - 1,
)
MORE_OBJECTS = 500  # less than one for each export of a quarter of an hour


@dataclass
class Report:
    """What a run has come to.

    Attributes:
        kills: How often the receiver was killed.
        samples: What the exporter has counted.
        missing: Series whose last value is not what the application counted.
        accepted: Whether everything was accepted in the end.
        lines: What the exporter has logged.
        warm: The peaks of the warm-up, at rest.
        later: The peaks after it, at rest.
        most_waiting: The most samples that waited, in the warm-up and after it: an outage is longer on a busy machine.
        objects: The fewest blocks that Python had allocated at a time, large and small: in the warm-up, and at the end.
            Unlike resident memory they are exact; the fewest, because while the SDK collects there are more.
    """

    kills: int = 0
    samples: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)
    accepted: bool = False
    lines: list[str] = field(default_factory=list)
    warm: Footprint = NOTHING
    later: Footprint = NOTHING
    most_waiting: tuple[int, int] = (0, 0)
    objects: tuple[int, int] = (0, 0)

    def note_waiting(self, samples: int, *, is_warm: bool) -> None:
        """Note how many samples wait at the end of an outage."""
        in_warm_up, most = self.most_waiting
        self.most_waiting = (in_warm_up, max(most, samples)) if is_warm else (max(in_warm_up, samples), most)

    @property
    def faults(self) -> list[str]:
        """What is not as it should be, in words."""
        found = [f"{len(self.missing)} series lack their last value: {self.missing[:3]}"] if self.missing else []
        found += [] if self.accepted else ["not everything was accepted in the end"]
        found += [f"{number} samples {what}" for what, number in self.samples.items() if what != "accepted" and number]
        found += [line for line in self.lines if "order" in line or "duplicate" in line or "rror" in line]
        found += [] if self.kills else ["the receiver was never killed"]
        found += [] if self.warm.threads and self.later.threads else ["it was never at rest"]
        in_warm_up, most = self.most_waiting
        larger = max(most / max(in_warm_up, 1), 1.0)
        allowed = GROWTH._replace(memory=int(GROWTH.memory * larger))
        for what, before, after, growth in zip(Footprint._fields, self.warm, self.later, allowed, strict=True):
            if after > before + growth:
                found.append(f"{what} grew from {before} to {after}")
        fewest, in_the_end = self.objects
        found += [f"objects grew from {fewest} to {in_the_end}"] if in_the_end > fewest + MORE_OBJECTS else []
        return found


class Application:
    """Counts in a thread of its own until it is stopped, and knows what it has counted."""

    def __init__(self, provider: MeterProvider, chance: random.Random) -> None:
        self._counters = [provider.get_meter("soak").create_counter(f"soak.{number}") for number in range(COUNTERS)]
        self._chance = chance
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self.truth = [[0] * STREAMS for _ in range(COUNTERS)]

    def __enter__(self):
        for counter in range(COUNTERS):
            for stream in range(STREAMS):
                self._count(counter, stream, FIRST)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stopped.wait(INTERVAL / 10):
            for _ in range(100):
                self._count(self._chance.randrange(COUNTERS), self._chance.randrange(STREAMS))

    def _count(self, counter: int, stream: int, number: int = 1) -> None:
        self._counters[counter].add(number, {"stream": stream, "route": f"/route/{stream % 7}"})
        self.truth[counter][stream] += number


def soak(prometheus: Prometheus, seconds: float, seed: int, say: Callable[[str], object] = print) -> Report:
    """Run the application for a while.

    Args:
        prometheus: Runs; it is killed and started again.
        seconds: For how long; the first minute, or the first half of less, is the warm-up, and in any case an outage of
            the longest kind and what comes after it until nothing waits.
        seed: Of all that is random.
        say: Told now and then how it goes.
    """
    chance = random.Random(seed)
    exporter = PrometheusRemoteWriteMetricsExporter(
        prometheus.write_url, interval=int(INTERVAL * 1000), max_concurrent_requests=MAX_CONCURRENT_REQUESTS
    )
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=INTERVAL * 1000)
    provider = MeterProvider([reader], shutdown_on_exit=False)
    report = Report()
    began = time.monotonic()
    is_warm = False
    fewest = sys.maxsize

    def watch(until: float) -> int:
        fewest = sys.maxsize
        while time.monotonic() < until:
            gc.collect()
            fewest = min(fewest, sys.getallocatedblocks())
            was_at_rest, footprint = _is_at_rest(exporter), Footprint.now()
            if was_at_rest and _is_at_rest(exporter):
                if is_warm:
                    report.later = report.later.peak(footprint)
                else:
                    report.warm = report.warm.peak(footprint)
            time.sleep(INTERVAL / 4)
        return fewest

    with _log(report.lines):
        with Application(provider, random.Random(seed)) as application:
            watch(began + 2 * INTERVAL)
            provider.force_flush()  # delivery is there from the first export on
            report.samples = exporter._data_path.delivery.samples
            outage, peace = LONGEST_OUTAGE, INTERVAL
            while time.monotonic() < began + seconds:
                prometheus.kill()
                report.kills += 1
                watch(time.monotonic() + outage)
                # On a busy machine none may have failed yet.
                while not is_warm and not exporter._data_path.delivery.backlog.samples:
                    watch(time.monotonic() + INTERVAL)
                report.note_waiting(exporter._data_path.delivery.backlog.samples, is_warm=is_warm)
                prometheus.start()
                while not is_warm and exporter._data_path.delivery.backlog.samples:
                    watch(time.monotonic() + INTERVAL)
                in_peace = watch(time.monotonic() + peace)
                fewest = fewest if is_warm else min(fewest, in_peace)
                is_warm = is_warm or time.monotonic() >= began + min(60.0, seconds / 2)
                say(
                    f"{time.monotonic() - began:.0f} s: {report.kills} kills, {Footprint.now()}, {dict(report.samples)}"
                )
                outage, peace = chance.uniform(0, LONGEST_OUTAGE), chance.uniform(0, LONGEST_PEACE)
        for _ in range(30):
            provider.force_flush()
            if exporter.force_flush():
                report.accepted = True
                break
            time.sleep(INTERVAL)
        report.objects = fewest, watch(time.monotonic() + 5 * INTERVAL)
        report.missing = _missing(prometheus, application.truth)
        provider.shutdown()
    return report


def _is_at_rest(exporter: PrometheusRemoteWriteMetricsExporter) -> bool:
    is_used = exporter._data_path is not None
    return is_used and exporter._late.made.under_way is None and not exporter._data_path.delivery.backlog.samples


def _missing(prometheus: Prometheus, truth: list[list[int]]) -> list[str]:
    found = {
        (sample.labels["__name__"], int(sample.labels["stream"])): sample.value
        for sample in prometheus.query('{__name__=~"soak_.*_total"}')
    }
    expected = {
        (f"soak_{counter}_total", stream): value
        for counter, values in enumerate(truth)
        for stream, value in enumerate(values)
    }
    return [f"{key}: {found.get(key)}, not {value}" for key, value in expected.items() if found.get(key) != value]


@contextmanager
def _log(lines: list[str]):
    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    handler = Handler()
    logging.getLogger(OURS).addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger(OURS).removeHandler(handler)
