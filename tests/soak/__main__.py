"""A quarter of an hour against a Prometheus that comes and goes: python -m tests.soak [--seconds N] [--seed N]."""

import argparse
import random
import sys

from tests.servers import packages
from tests.servers.prometheus import Prometheus
from tests.soak.soak import soak

parser = argparse.ArgumentParser(prog="tests.soak")
parser.add_argument("--seconds", type=float, default=900)
parser.add_argument("--seed", type=int, default=random.randrange(10**6))
arguments = parser.parse_args()
print(f"{arguments.seconds:g} s with seed {arguments.seed}", flush=True)
with Prometheus(packages.prometheus_current()) as prometheus:
    report = soak(prometheus, arguments.seconds, arguments.seed, lambda text: print(text, flush=True))
print("\n".join(["the log:", *report.lines]))
print(f"warm-up: {report.warm}\nlater:   {report.later}\nobjects: {report.objects}\n{dict(report.samples)}")
if report.faults:
    sys.exit("\n".join(["FAILED", *report.faults]))
print("as it should be")
