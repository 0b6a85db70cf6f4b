"""A function's handler as Lambda runs it: an invocation for each line of standard input, frozen in between."""

import sys

from work import count

from opentelemetry import metrics


def handler(_event):
    count(1, at="invocation")
    if "flush" in sys.argv:
        metrics.get_meter_provider().force_flush()


print("(ready)", flush=True)
for line in sys.stdin:
    handler(line)
