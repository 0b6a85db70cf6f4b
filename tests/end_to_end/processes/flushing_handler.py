"""Flushes metrics whenever something is logged, and raises then."""

import logging
import sys

from work import work

from opentelemetry import metrics


class Flushing(logging.Handler):
    def emit(self, record):
        print(f"(said {record.getMessage()[:60]})", flush=True)
        work.add(1)
        metrics.get_meter_provider().force_flush()
        raise RuntimeError


logging.getLogger().addHandler(Flushing())
work.add(1)
print("(ready)", flush=True)
sys.stdin.readline()
if "by a thread" not in sys.argv:
    metrics.get_meter_provider().force_flush()
sys.stdin.readline()
metrics.get_meter_provider().shutdown()
print("(shut down)", flush=True)
