"""What every process of the tests counts: a unit of work, and who it is."""

import os

from opentelemetry import metrics

meter = metrics.get_meter("processes")
work = meter.create_counter("work")
in_hand = meter.create_up_down_counter("in_hand")
meter.create_observable_gauge("writer", callbacks=[lambda _: [metrics.Observation(os.getpid())]])
