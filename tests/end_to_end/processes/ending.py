"""Counts, ends when it is told to, and says so."""

import os
import sys
import time

from opentelemetry.sdk.metrics import MeterProvider
from work import work

work.add(1)
if "during an export" in sys.argv:
    (exporter,) = {reader._exporter for reader in MeterProvider._all_metric_readers}
    while not exporter._transport._under_way:
        time.sleep(0.001)
    work.add(1)
if "while the SDK's locks are held" in sys.argv:
    (storage,) = work._measurement_consumer._reader_storages.values()
    with storage._lock:
        os.kill(os.getpid(), 15)
print("ready", flush=True)
if "by itself" not in sys.argv:
    sys.stdin.readline()
if "by an exception" in sys.argv:
    raise RuntimeError
if "by a status" in sys.argv:
    sys.exit(3)
