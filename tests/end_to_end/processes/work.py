"""What every process of the tests counts: a unit of work, and who it is."""

import os

from opentelemetry import metrics

meter = metrics.get_meter("processes")
work = meter.create_counter("work")
in_hand = meter.create_up_down_counter("in_hand")
meter.create_observable_gauge("writer", callbacks=[lambda _: [metrics.Observation(os.getpid())]])


def count(amount=1, **attributes):
    """Count work, and append as many bytes to the file that holds the truth, if there is one."""
    work.add(amount, attributes)
    if truth := os.environ.get("TRUTH"):
        descriptor = os.open(truth, os.O_WRONLY | os.O_APPEND)
        os.write(descriptor, b"." * amount)
        os.close(descriptor)


def work_in_child(_number):
    count(1, at="child")
    in_hand.add(-1)
