"""Flushes again and again while a signal handler raises at random moments, and then ends in good order."""

import random
import signal
import sys
import time

from opentelemetry import metrics

TIMES, LONGEST = int(sys.argv[1]), float(sys.argv[2])  # LONGEST: seconds until the signal


class ApplicationsOwn(Exception):
    """What the application's handler raises."""


handled, arrived = [], 0


def handle(*_):
    handled.append(1)
    raise ApplicationsOwn


signal.signal(signal.SIGALRM, handle)
provider = metrics.get_meter_provider()
work = metrics.get_meter("interrupted").create_counter("work")
chance = random.Random(5)
began = time.monotonic()
assert provider.force_flush()
at_first = time.monotonic() - began
for number in range(1, TIMES + 1):
    time.sleep(0.002)  # two samples of one series need two milliseconds
    try:
        work.add(1)
        signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-5, LONGEST))
        provider.force_flush()
        while len(handled) < number:
            time.sleep(0.001)
    except ApplicationsOwn:
        arrived += 1
    except Exception as error:  # noqa: BLE001 - the SDK gathers what its readers raise
        arrived += "ApplicationsOwn" in str(error)
print(f"(arrived {arrived} of {len(handled)})", flush=True)
began = time.monotonic()
assert provider.force_flush()
print(f"(flushed in {time.monotonic() - began}, and at first in {at_first})", flush=True)
