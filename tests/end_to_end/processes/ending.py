"""Counts, says when it is ready and when its own code ends, and ends as it is told to, or by a signal."""

import os
import select
import signal
import sys
import time

from opentelemetry.sdk.metrics import MeterProvider
from work import work

work.add(1)
if "during an export" in sys.argv:
    (exporter,) = {reader._exporter for reader in MeterProvider._all_metric_readers}
    while not (exporter._data_path and exporter._data_path.transport._under_way):
        time.sleep(0.001)
    work.add(1)
if "while the SDK's locks are held" in sys.argv:
    (storage,) = work._measurement_consumer._reader_storages.values()
    with storage._lock:
        print(f"(ended at {time.monotonic()})", flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
print("(ready)", flush=True)
if not any(argument.startswith("by ") for argument in sys.argv):
    # Not in one call: a signal that comes just before a call blocks is not handled until that returns.
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        pass
print(f"(ended at {time.monotonic()})", flush=True)
if "by an exception" in sys.argv:
    raise RuntimeError
if "by a status" in sys.argv:
    sys.exit(3)
