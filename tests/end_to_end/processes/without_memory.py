"""Flushes while there is no memory left, and again when there is some; prints how it went."""

import random
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path

from opentelemetry import metrics

provider = metrics.get_meter_provider()
work = metrics.get_meter("memory").create_counter("work")
work.add(1)
began = time.monotonic()
assert provider.force_flush()
at_first = time.monotonic() - began
chance = random.Random(5)
for spare in map(int, sys.argv[1:]):  # kilobytes; a thread needs some thousands
    work.add(1)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + spare * 1024, resource.RLIM_INFINITY))
    kept, some = [], chance.randrange(100, 1000)
    try:
        while True:
            kept.append(bytearray(500))
    except MemoryError:
        for _ in range(some):
            kept.pop()
    with suppress(Exception):  # the SDK gathers what its readers raise: it needs memory, too
        provider.force_flush()
    del kept
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    time.sleep(0.002)  # two samples of one series need two milliseconds
began = time.monotonic()
assert provider.force_flush()
print(f"(flushed in {time.monotonic() - began}, and at first in {at_first})", flush=True)
